/// Turns a scenario file's JSON into a ``Scenario``, strictly: what it does not know, it refuses.
///
/// It reads no files. Where a scenario names a `config.json`, the closure it was made with gives its contents.
public struct ScenarioReader {
  /// Gives the JSON of a model's `config.json`, or of a file beside it; paths are as the scenario writes them.
  ///
  /// Of a `.safetensors` file it gives the header.
  public typealias ConfigLoader = (_ path: String) throws(PlanError) -> JSONValue

  let loadModelConfig: ConfigLoader
  /// Prices that every scenario gets, behind what it says itself.
  public var prices = PriceList()
  var families = ModelFamilies.all
  var strategies = Strategies.all
  var optimizers = Optimizers.all

  /// A reader that gets configs from `loadModelConfig`.
  public init(loadModelConfig: @escaping ConfigLoader) {
    self.loadModelConfig = loadModelConfig
  }

  /// What a scenario may have, in the order in which `plan show scenario` prints it.
  public static let keys =
    [
      SettingKey("schema", .integer(1...1), default: 1, "the version of this format"),
      SettingKey("name", .text, otherwise: "model and device", "what the report is called"),
      SettingKey(
        needed: "model", .other("a name, the path of a config.json, or such an object", "gpt2"),
        "from \"plan show models\", or of your own"),
      SettingKey(needed: "workload", .object(workloadKeys), "batch and lengths"),
    ] + Precision.keys + [
      SettingKey(
        "autocast", .truth, default: false, "autocast over 16-bit weights (Trainer's bf16=True)",
        with: .key("precision", "bf16-true", "16-true")),
      SettingKey(
        "attention", .choice(of: AttentionImplementation.self), default: "sdpa",
        "PyTorch's choice of a kernel, plain products, or flash-attn"),
      SettingKey(
        "kernels", .choice(of: KernelSet.self), default: "torch",
        "whose kernels run norms, rotary embedding, MLP and loss"),
      SettingKey("loss", .object(lossKeys), otherwise: "transformers", "how the loss is computed"),
      SettingKey(
        "framework", .choice(of: Framework.self), default: "torch",
        "whose training loop, kernels and buffers are meant"),
      SettingKey(
        "megatron", .object(megatronKeys), otherwise: "Megatron's defaults",
        "arguments of Megatron-LM", with: .key("framework", "megatron")),
      SettingKey(
        "optimizer", .object(Optimizers.keys(of: AdamW.self)), otherwise: "\"adamw\"",
        "a name, or an object with \"name\" and the optimizer's own keys"),
      SettingKey(
        "gradient_clipping", .number(0.0001...1_000_000), otherwise: "no clipping",
        "the norm that gradients are clipped to"),
      SettingKey(
        "strategies", .other("an object", [:]), otherwise: "none",
        "one key for each technique: \"plan show strategies\""),
      SettingKey(
        "allocator", .object(AllocatorSettings.keys), otherwise: "PyTorch's defaults",
        "PYTORCH_CUDA_ALLOC_CONF"),
      SettingKey(
        "hardware", .object(hardwareKeys), otherwise: "one h100-sxm", "devices, links, prices"),
      SettingKey("compile", .truth, default: false, "only false is planned"),
      SettingKey(
        "run", .object(RunSettings.keys), otherwise: "no costs",
        "how long the run is and what it is reckoned with"),
      SettingKey(
        "claim", .object(Claim.keys), otherwise: "none", "what \"plan claims\" checks"),
    ]

  private static let workloadKeys = [
    SettingKey(needed: "micro_batch_size", .integer(1...1_000_000), "sequences in a forward pass"),
    SettingKey(needed: "sequence_length", .integer(1...100_000_000), "tokens in each sequence"),
    SettingKey(
      "target_sequence_length", .integer(1...100_000_000), otherwise: "sequence_length",
      "tokens that a decoder writes beside an encoder (T5)"),
    SettingKey(
      "gradient_accumulation_steps", .integer(1...1_000_000), default: 1,
      "passes before the optimizer steps; a pipeline's micro-batches"),
    SettingKey(
      "keep_outputs", .truth, default: false, "the loop holds the logits to the end of the step"),
    SettingKey(
      "experts", .object(ExpertLoad.keys), otherwise: "even load",
      "how tokens spread over the experts of a mixture"),
    SettingKey("packing", .truth, default: false, "only false is planned"),
  ]

  /// The scenario that an object describes.
  ///
  /// - Throws: ``PlanError`` with the key path, the value and the fix.
  public func read(_ value: JSONValue) throws(PlanError) -> Scenario {
    var settings = try Settings(value, path: "", keys: Self.keys)
    try readSchema(&settings)
    var defaults = Defaults()
    let name = try settings.optionalString("name")
    let framework = try readFramework(&settings)
    let megatron = try readMegatron(&settings, framework)
    let model = try readModel(&settings).written(by: framework)
    let workload = try readWorkload(&settings, model, &defaults)
    let precision = try readPrecision(&settings, &defaults)
    let autocasts = try readAutocast(&settings, precision)
    let attention = try readAttention(&settings, &defaults)
    if try settings.bool("compile") { throw .compiled }
    let kernelSet = try readKernelSet(&settings, model: model)
    let loss = try readLoss(&settings, model: model, keepsOutputs: workload.keepOutputs)
    var optimizer = try readOptimizer(&settings, &defaults)
    let clipping = try settings.optionalNumber("gradient_clipping")
    if !settings.has("gradient_clipping") { defaults.note("gradient_clipping", "no clipping") }
    let techniques = try readStrategies(&settings, &defaults)
    let allocator = try readAllocator(&settings)
    let hardware = try readHardware(&settings, &defaults)
    let device = hardware.device
    if device.kind == .processor {
      try checkProcessor(kernelSet, techniques)
      optimizer = try readOptimizerOnProcessor(&settings, optimizer)
    }
    var scenario = Scenario(
      name: name ?? "\(model.name) on \(device.name)", model: model, workload: workload,
      precision: precision, attention: attention, optimizer: optimizer, gradientClipping: clipping,
      strategies: techniques, device: device, devices: hardware.devices, defaults: defaults.taken,
      allocator: allocator, loss: loss, kernelSet: kernelSet,
      hostMemory: hardware.hostMemory, interconnect: hardware.interconnect, framework: framework,
      autocasts: autocasts)
    if var run = try settings.object("run") { scenario.run = try RunSettings(&run) }
    scenario.prices = try prices(hardware.price, in: scenario.run?.currency)
    if var claim = try settings.object("claim") { scenario.claim = try Claim(&claim) }
    scenario.megatron = megatron
    try settings.finish()
    return scenario
  }
}

/// What a scenario leaves open, in the order of its keys.
struct Defaults {
  private(set) var taken: [Assumption] = []

  /// Notes that `key` has no value and what stands for it, in a few words.
  mutating func note(_ key: String, _ text: String) {
    taken.append(Assumption("default_\(key)", text, source: "default"))
  }
}

extension ScenarioReader {
  private func readSchema(_ settings: inout Settings) throws(PlanError) {
    guard let schema = settings.value("schema"), schema != 1 else { return }
    throw PlanError(
      .unsupported, "expected schema 1, found \(schema.shown)", path: "schema",
      fix: "Write \"schema\": 1.")
  }

  private func readWorkload(
    _ settings: inout Settings, _ model: Model, _ defaults: inout Defaults
  ) throws(PlanError) -> Workload {
    guard var workload = try settings.object("workload") else { throw .noWorkload }
    if try workload.bool("packing") { throw .packed }
    let microBatchSize = try workload.integer("micro_batch_size")
    let sequenceLength = try workload.integer("sequence_length")
    let target = try workload.optionalInteger("target_sequence_length")
    if target != nil, !model.family.isEncoderDecoder {
      throw .noTarget(model.name, workload.place("target_sequence_length"))
    }
    let steps = try workload.optionalInteger("gradient_accumulation_steps")
    let keepOutputs = try workload.bool("keep_outputs")
    if steps == nil { defaults.note("gradient_accumulation_steps", "no gradient accumulation") }
    if target == nil, model.family.isEncoderDecoder {
      defaults.note("target_sequence_length", "as many decoder tokens as encoder tokens")
    }
    if !workload.has("keep_outputs") { defaults.note("keep_outputs", "outputs not kept") }
    var load: ExpertLoad?
    if var experts = try workload.object("experts") { load = try ExpertLoad(&experts, model) }
    try workload.finish()
    return Workload(
      microBatchSize: microBatchSize, sequenceLength: sequenceLength, targetSequenceLength: target,
      gradientAccumulationSteps: steps ?? 1, keepOutputs: keepOutputs, expertLoad: load)
  }

  private func readPrecision(_ settings: inout Settings, _ defaults: inout Defaults)
    throws(PlanError) -> Precision
  {
    switch settings.value("precision") {
    case .string(let name)?:
      try Later.refuse(
        name, in: Later.precisions, path: "precision",
        instead: "Use \"bf16-mixed\" or \"bf16-true\".")
    case nil: defaults.note("precision", "precision bf16-true")
    default: break
    }
    return try settings.choice("precision")
  }

  /// Autocast over 16-bit weights: what Trainer's `bf16=True` does to a model that was loaded in bf16.
  private func readAutocast(_ settings: inout Settings, _ precision: Precision) throws(PlanError)
    -> Bool
  {
    guard try settings.bool("autocast") else { return false }
    guard precision == .bf16True || precision == .fp16True else {
      throw PlanError(
        .conflict, "\(precision.rawValue) and autocast do not go together", path: "autocast",
        fix: "Leave \"autocast\" out: mixed precisions have it, and 32-true means none. With "
          + "bf16-true or 16-true it runs over 16-bit weights.")
    }
    return true
  }

  private func readAttention(_ settings: inout Settings, _ defaults: inout Defaults)
    throws(PlanError) -> AttentionImplementation
  {
    switch settings.value("attention") {
    case "flash_attention_2": return .flash
    case .string(let name)?:
      try Later.refuse(
        name, in: Later.attentions, path: "attention",
        instead:
          "Use \"flash\" (FlashAttention 2), or \"sdpa\", which takes a flash kernel by itself.")
    case nil where settings.value("framework") == .string(Framework.megatron.rawValue): break
    case nil: defaults.note("attention", "attention sdpa")
    default: break
    }
    return try settings.choice("attention")
  }

  private func readFramework(_ settings: inout Settings) throws(PlanError) -> Framework {
    try settings.choice("framework")
  }

  private func readAllocator(_ settings: inout Settings) throws(PlanError) -> AllocatorSettings {
    guard var options = try settings.object("allocator") else { return AllocatorSettings() }
    let allocator = try AllocatorSettings(&options)
    try options.finish()
    return allocator
  }
}

extension PlanError {
  fileprivate static func noTarget(_ model: String, _ path: String) -> Self {
    Self(
      .conflict, "\(model) has no decoder beside an encoder that could have a length of its own",
      path: path, fix: "Leave it out: sequence_length is the length of every sequence.")
  }

  /// A compiled step may need less than the eager one or more, and no rule here says which.
  fileprivate static var compiled: Self {
    Self(
      .unsupported, "a compiled step cannot be planned", path: "compile",
      fix: "Leave it out to plan the eager step; the compiled one may take less or more.")
  }

  /// With sdpa packed sequences make a mask, with a varlen kernel none; the scenario cannot say which.
  fileprivate static var packed: Self {
    Self(
      .unsupported, "packed sequences cannot be planned as such", path: "workload.packing",
      fix: "Leave it out and give the packed length as sequence_length: that is what a flash "
        + "kernel for variable lengths takes; sdpa's mask of tokens by tokens comes on top.")
  }

  fileprivate static var noWorkload: Self {
    Self(
      .invalid, "\"workload\" is missing", path: "workload",
      fix: "Add \"workload\": { \"micro_batch_size\": 1, \"sequence_length\": 2048 }.")
  }
}

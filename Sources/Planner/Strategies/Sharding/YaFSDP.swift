/// Cuts all states over devices like FSDP, with gathered parameters and gradients in a few buffers that all layers share.
///
/// The class `YaFSDP` around the modules that `docs/migration_guide.md` of its repository wraps: the embedding, each layer, the
/// head. Checkpoints lie inside the wrap, where `patches/accelerate.diff` there puts them; those of transformers itself never
/// run, since a wrapped layer's `forward` is called and not the layer. The model returns a tuple (`return_dict=False`):
/// PyTorch's hooks, which YaFSDP gathers by, find the loss in nothing else.
///
/// Source: `ya_fsdp/ya_fsdp.py` (commit 031af26) and `ya_fsdp/meta_param.py` (commit 082015d) in github.com/yandex/YaFSDP.
public struct YaFSDP: Strategy {
  /// See ``Strategy/name``.
  public static let name = "yafsdp"
  /// See ``Strategy/summary``.
  public static let summary =
    "Cuts all states over devices, with two buffers for parameters and two for gradients (YaFSDP)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.sharding
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.dataParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "shards", .integer(1...1_000_000), "devices that each unit is cut over"),
    SettingKey(
      "zero_stage", .integer(2...3), default: 3, "2 keeps gathered parameters for backward"),
    SettingKey(
      "bit16_reduce_scatter", .truth, default: false, "gradients are reduced in 16 bits, not fp32"),
  ]

  /// Ranks that each unit is cut over.
  public private(set) var shards: Int
  /// `zero_stage`: at 3, two buffers hold parameters, each unit's in turn; at 2, each unit has a buffer of its own.
  public let stage: Int
  /// Whether gradients are reduced in 16 bits rather than in fp32 (`bit16_reduce_scatter`).
  public let reducesIn16Bits: Bool

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    shards = try settings.integer("shards")
    stage = try settings.integer("zero_stage")
    reducesIn16Bits = try settings.bool("bit16_reduce_scatter")
  }

  /// See ``Strategy/label``.
  public var label: String {
    "YaFSDP over \(shards) devices" + (stage == 2 ? ", parameters kept for backward" : "")
  }

  /// Writes the decisions into the plan.
  ///
  /// - Throws: ``PlanError`` for what the framework or the plan of it does not hold: adapters, optimizers that need
  ///   whole matrices, other formats than 16-bit ones over fp32.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.conflict, what, path: path, fix: fix)
    }
    guard plan.context.trainsBase else {
      throw refuse(
        "YaFSDP trains all parameters of a module or none", "strategies.lora",
        "Use fsdp with adapters.")
    }
    guard plan.optimizer is AdamW || plan.optimizer is Adam || plan.optimizer is SGD,
      !plan.optimizer.stepsInBackward
    else {
      throw refuse(
        "\(plan.optimizer.label) does not update the two flat parameters of YaFSDP",
        "optimizer.name", "Use adamw, adam or sgd.")
    }
    guard plan.context.autocast == nil, plan.context.dtype.size == 2 else {
      throw refuse(
        "YaFSDP keeps parameters in fp32 and computes in 16 bits without autocast", "precision",
        "Write \"bf16-true\" or \"16-true\": the format of its param_dtype.")
    }
    plan.dataParallel = shards
    plan.communicators += shards > 1 ? 1 : 0
    // Weights are made in fp32 and cast as they are gathered; the model's buffers stay as they were.
    plan.context.bufferFormat = plan.context.bufferFormat ?? .fp32
    plan.context.storedFormat = .fp32
    let settings = self
    plan.distribution = { (graph, plan) throws(PlanError) in
      try BufferedStep(settings, graph, plan)
    }
  }
}

extension YaFSDP: SpreadingStrategy {
  /// All shards.
  public var devices: Int { shards }
  /// More shards are smaller.
  public var sharesStates: Bool { true }
  /// One device more or less.
  public var unit: Int { 1 }
  /// The same over so many devices.
  public func over(_ devices: Int) -> any SpreadingStrategy {
    var other = self
    other.shards = devices
    return other
  }
}

/// The buffers, and the two flat parameters: of all matrices, and of all norms.
///
/// Embedding, layers and head are wrapped; each is one tensor of all but its norms. The norms of all are one more.
private final class BufferedStep: Distribution {
  private let settings: YaFSDP
  private let plan: TrainingPlan
  /// Padded elements of each wrapped module, with how many there are of it.
  private let units: [(elements: Int, count: Int)]
  /// Padded elements of all norms.
  private let norms: Int
  /// The unit of each weight, -1 for norms: the sections of the layers come first, modules outside them follow.
  private let unitOf: [Int]
  private let sections: Int
  private var trained: [TrainingStep.Weight] = []
  /// The gradients of the layer in backward, and the gradient of its output.
  private var ofLayer: [Int32] = []
  private var arrived: Int32 = -1
  /// The gradients of norms.
  private var ofNorms: [Int32] = []

  var clips: Bool { true }

  init(_ settings: YaFSDP, _ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError) {
    self.settings = settings
    self.plan = plan
    let program = graph.program
    if plan.checkpointsReentrantly {
      throw PlanError(
        .conflict, "YaFSDP stops at a reentrant checkpoint (`real state is NOT_READY`)",
        path: "strategies.checkpointing.reentrant", fix: "Set it to false.")
    }
    if program.leaves.contains(where: { $0.isTable && ($0.isMultiplied || $0.uses > 1) }) {
      throw PlanError(
        .conflict, "YaFSDP wraps embeddings and head apart, a tied weight is in several",
        path: "strategies.yafsdp",
        fix: "Set \"tie_word_embeddings\" to false where the head is tied, or use fsdp.")
    }
    var elements = Array(repeating: 0, count: program.sections.count + program.leaves.count)
    var counts = elements
    var unitOf = Array(repeating: -1, count: program.leaves.count)
    var norms = 0
    var modules: [Substring] = []
    sections = program.sections.count
    for weight in TrainingStep.weights(of: graph) where weight.count > 0 {
      let name = weight.name.description
      let all = try checkedProduct(weight.spec.elements, weight.count, 16)
      guard !name.lowercased().contains("norm"), !name.contains("ln_") else {
        norms += all / 16
        continue
      }
      // Outside the layers each module is wrapped: the embedding, the head with its bias.
      let module = name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)
      let outside = modules.firstIndex(of: module) ?? modules.count
      if weight.section == 0, outside == modules.count { modules.append(module) }
      let unit = weight.section > 0 ? weight.section : sections + outside
      elements[unit] += weight.spec.elements
      counts[unit] = weight.count
      unitOf[weight.leaf] = unit
    }
    let shards = settings.shards
    func padded(_ elements: Int) throws(PlanError) -> Int {
      guard elements <= TensorSpec.limit / 16 else { throw .overflow("elements", "a unit's sum") }
      return try checkedProduct((elements + shards - 1) / shards, shards)
    }
    var units: [(elements: Int, count: Int)] = []
    for (sum, count) in zip(elements, counts) {
      units.append((try padded(sum), count))
      _ = try checkedProduct(try padded(sum), max(count, 1), 16)
    }
    self.units = units
    guard norms > 0 else {
      throw PlanError(
        .conflict, "YaFSDP needs norms with weights, and stops without any (`len(params) > 0`)",
        path: "strategies.yafsdp", fix: "Use fsdp.")
    }
    self.norms = try padded(norms)
    self.unitOf = unitOf
  }

  /// Elements of this rank's share of everything that is no norm.
  private var main: Int {
    units.reduce(0) { $0 &+ ($1.elements / settings.shards) &* $1.count }
  }

  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    guard let first = weights.first else { return [] }
    var local: [TrainingStep.Weight] = []
    for elements in [norms / settings.shards, main] where elements > 0 {
      var weight = first
      weight.spec = try TensorSpec(1, elements, .fp32)
      weight.tensors = [weight.spec.bytes]
      (weight.count, weight.section, weight.isLinear) = (1, 0, false)
      local.append(weight)
    }
    trained = local
    return local
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for weight in weights {
      // In fp32, its gradient, which stays, and the copy that is gathered.
      tape.schedule.allocate(weight.spec.bytes, .parameters, moment)
      tape.schedule.allocate(weight.spec.bytes, .gradients, Moment.bucket.rawValue)
      tape.schedule.allocate(weight.spec.elements &* 2, .parameters, moment)
    }
    let largest = units.map(\.elements).max() ?? 0
    let buffer = Moment.allGather.rawValue
    if settings.stage == 3 {
      tape.schedule.allocate(2 &* largest, count: 2, .communication, buffer)
    } else {
      for unit in units where unit.count > 0 {
        tape.schedule.allocate(2 &* unit.elements, count: unit.count, .communication, buffer)
      }
      tape.schedule.allocate(2 &* norms, .communication, buffer)
    }
    let gradients = Moment.reduceScatter.rawValue
    tape.schedule.allocate(2 &* largest, count: 2, .communication, gradients)
    if !settings.reducesIn16Bits {
      tape.schedule.allocate(4 &* max(largest, norms), .communication, gradients)
    }
    tape.schedule.allocate(2 &* norms, count: 2, .communication, gradients)
  }

  /// The gradient is copied to the shared buffer by the node that cut the weight out of the gathered one (`Narrow`).
  ///
  /// Autograd runs the node that was made last first. A layer's weights are cut out ahead of its forward, so that all its
  /// gradients wait for the rest of its backward; those of norms, cut out ahead of the model's forward, for all of it.
  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    if unitOf[leaf] < 0 {
      ofNorms.append(gradient)
    } else if unitOf[leaf] < sections {
      ofLayer.append(gradient)
    } else {
      tape.release(gradient, Moment.bucket.rawValue)
    }
  }

  func beforeForward(_ section: Int, in tape: inout Tape) { gather(section, &tape) }

  /// `BackwardHook` of PyTorch's `torch/utils/hooks.py` keeps the gradient of a module's output until that of its input is there.
  func beforeBackward(_ section: Int, in tape: inout Tape) {
    if settings.stage == 3 { gather(section, &tape) }
    guard section > 0 else { return }
    arrived = tape.arrivedGradient
    tape.retain(arrived)
  }

  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    for gradient in ofLayer { tape.release(gradient, Moment.bucket.rawValue) }
    ofLayer.removeAll(keepingCapacity: true)
    tape.release(arrived, Moment.bucket.rawValue)
    arrived = -1
    tape.communicate(.reduceScatter, size * elements(section), among: settings.shards)
  }

  func endBackward(in tape: inout Tape) {
    for gradient in ofNorms { tape.release(gradient, Moment.bucket.rawValue) }
    ofNorms.removeAll(keepingCapacity: true)
    tape.communicate(.reduceScatter, size * elements(0), among: settings.shards)
  }

  private var size: Int { settings.reducesIn16Bits ? 2 : 4 }

  private func gather(_ section: Int, _ tape: inout Tape) {
    tape.communicate(.allGather, 2 * elements(section), among: settings.shards)
  }

  /// What a section's modules are gathered as.
  private func elements(_ section: Int) -> Int {
    guard section == 0 else { return units[section].elements }
    return units[sections...].reduce(norms) { $0 &+ $1.elements }
  }

  /// The norm of each of the two gradients, stacked, and their norm.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    guard plan.clipping != nil else { return }
    let kernels = plan.context.kernels
    var norms = OptimizerStep(weights: trained, schedule: schedule, moment: .clipping, role: .other)
    norms.forEach { step, weight, _ in
      step.allocate(4)
      step.passing(TotalNorm.workspace(elements: weight.spec.elements, on: kernels))
    }
    norms.passing(4 * trained.count + 4)
    norms.free(4, count: trained.count)
    schedule = norms.schedule
  }
}

/// Cuts optimizer states, gradients and parameters over data-parallel devices as DeepSpeed's ZeRO does.
///
/// The precision decides what DeepSpeed has enabled: `bf16-true` its `bf16`, `16-true` its `fp16`, both with fp32 master
/// weights; `32-true` neither. What DeepSpeed has in its sections `bf16`, `data_types` and `optimizer` stands among the
/// options of `zero_optimization`, under the same names.
///
/// Source: Rajbhandari et al. 2020, arXiv:1910.02054; `deepspeed/runtime/zero` and `deepspeed/runtime/engine.py`,
/// DeepSpeed 0.19.8, whose option names and defaults these are.
public struct Zero: Strategy {
  /// See ``Strategy/name``.
  public static let name = "zero"
  /// See ``Strategy/summary``.
  public static let summary =
    "Cuts optimizer states, gradients and parameters over devices (DeepSpeed's ZeRO, stages 1 to 3)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.sharding
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.dataParallelism, .optimizerPlacement]

  /// See ``Strategy/keys``; names and defaults are DeepSpeed's.
  public static let keys: [SettingKey] = [
    SettingKey(
      needed: "stage", .integer(1...3),
      "1 cuts optimizer states, 2 gradients as well, 3 parameters as well"),
    SettingKey(needed: "shards", .integer(1...1_000_000), "devices of the data-parallel world"),
    SettingKey(
      "reduce_bucket_size", .number(1...1e12), default: 500_000_000,
      "elements that are reduced together"),
    SettingKey(
      "allgather_bucket_size", .number(2...1e12), default: 500_000_000,
      "elements that are gathered together; changes no peak"),
    SettingKey(
      "overlap_comm", .truth, otherwise: "true in stage 3, else false",
      "gradients are reduced while backward runs"),
    SettingKey(
      "contiguous_gradients", .truth, default: true,
      "gradients are copied to one buffer ahead of their reduction"),
    SettingKey(
      "reduce_scatter", .truth, default: true, "gradients are reduced in slices by owner"),
    SettingKey(
      "round_robin_gradients", .truth, default: false, "ranks own parameters in turns"),
    SettingKey(
      "sub_group_size", .number(1...1e12), default: 1_000_000_000,
      "stage 3: elements of a rank's share that are updated together"),
    SettingKey(
      "stage3_prefetch_bucket_size", .number(0...1e12), default: 50_000_000,
      "stage 3: elements that are gathered ahead"),
    SettingKey(
      "stage3_max_live_parameters", .number(0...1e12), default: 1_000_000_000,
      "stage 3: elements up to which more is gathered ahead"),
    SettingKey(
      "stage3_max_reuse_distance", .number(0...1e12), default: 1_000_000_000,
      "stage 3: parameters used again within so many elements stay"),
    SettingKey(
      "stage3_param_persistence_threshold", .number(0...1e12), default: 100_000,
      "stage 3: parameters of at most so many elements stay whole"),
    SettingKey(
      "stage3_gather_16bit_weights_on_model_save", .truth, default: false,
      "read, and without effect on a step"),
    SettingKey("allgather_partitions", .truth, default: true, "read, and without effect on a peak"),
    SettingKey(
      "use_multi_rank_bucket_allreduce", .truth, default: true,
      "read, and without effect on a peak"),
    SettingKey(
      "leaf_module",
      .object([
        SettingKey(
          "classes", .texts, otherwise: "DeepSpeed's list",
          "mixtures that stage 3 gathers whole; [] for none")
      ]), otherwise: "DeepSpeed's list", "stage 3: modules whose parameters are gathered together"),
    SettingKey("torch_adam", .truth, default: false, "torch.optim steps, not FusedAdam"),
    SettingKey(
      "zero_allow_untested_optimizer", .truth, default: false,
      "optimizers run that DeepSpeed does not call tested"),
    SettingKey(
      "bf16_master_weights_and_grads", .truth, default: false,
      "master weights and their gradients in bf16"),
    SettingKey(
      "bf16_optimizer_states", .truth, default: false, "optimizer states in bf16 as well"),
    SettingKey(
      "grad_accum_dtype", .choice(of: Format.self), otherwise: "the model's format",
      "format in which gradients of micro-batches add up"),
    SettingKey(
      "immediate_grad_update", .truth, default: false,
      "BF16_Optimizer adds a gradient up as soon as it is there"),
    SettingKey(
      "offload_optimizer", .object(ZeroOffload.keys(ofOptimizer: true)), otherwise: "on the device",
      "where fp32 weights, optimizer states and gradients lie"),
    SettingKey(
      "offload_param", .object(ZeroOffload.keys(ofOptimizer: false)), otherwise: "on the device",
      "stage 3: where the shares of parameters lie"),
  ]

  /// Formats that gradients add up in, as `data_types` names them.
  private enum Format: String, CaseIterable { case fp32, bf16, fp16 }

  /// 1: optimizer states are cut; 2: gradients as well; 3: parameters as well.
  public let partitioning: Int
  /// Devices of the data-parallel world.
  public private(set) var shards: Int
  /// Elements that are reduced together (`reduce_bucket_size`).
  public let reduceBucket: Int
  /// Whether gradients are reduced while backward runs (`overlap_comm`).
  public let overlaps: Bool
  /// Whether gradients are copied to one buffer ahead of their reduction (`contiguous_gradients`).
  public let contiguous: Bool
  /// Whether gradients are reduced in slices by owner (`reduce_scatter`).
  public let scatters: Bool
  /// Whether ranks own parameters in turns (`round_robin_gradients`).
  public let roundRobin: Bool
  /// Elements of a rank's share that are updated together in stage 3 (`sub_group_size`).
  public let subGroup: Int
  /// Elements that stage 3 gathers ahead (`stage3_prefetch_bucket_size`).
  public let prefetchBucket: Int
  /// Elements that stage 3 gathers ahead as long as no more are there (`stage3_max_live_parameters`).
  public let maxLive: Int
  /// Parameters that are used again within so many elements stay (`stage3_max_reuse_distance`).
  public let maxReuse: Int
  /// Parameters of at most so many elements stay whole (`stage3_param_persistence_threshold`).
  public let persistence: Int
  /// Whether stage 3 gathers the mixtures of Mixtral, Qwen2-MoE and Qwen3-MoE whole (`leaf_module`).
  public let gathersMixtures: Bool
  /// Whether `torch.optim` steps instead of DeepSpeed's FusedAdam (`torch_adam`).
  public let usesTorchAdam: Bool
  /// Whether optimizers run that DeepSpeed does not call tested (`zero_allow_untested_optimizer`).
  public let allowsUntested: Bool
  /// Whether master weights and their gradients are in bf16 (`bf16_master_weights_and_grads`).
  public let lowPrecisionMaster: Bool
  /// Whether optimizer states are in bf16 as well (`bf16_optimizer_states`).
  public let lowPrecisionStates: Bool
  /// The format in which gradients of micro-batches add up (`grad_accum_dtype`), or `nil` for the model's.
  public let accumulation: DType?
  /// Whether BF16_Optimizer adds a gradient up as soon as it is there (`immediate_grad_update`).
  public let updatesImmediately: Bool
  /// Where fp32 weights, optimizer states and gradients lie (`offload_optimizer`), or `nil` for the device.
  public let optimizerOffload: ZeroOffload?
  /// Where the shares of parameters lie (`offload_param`), or `nil` for the device.
  public let parameterOffload: ZeroOffload?

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    partitioning = try settings.integer("stage")
    shards = try settings.integer("shards")
    reduceBucket = Int(try settings.number("reduce_bucket_size"))
    _ = try settings.number("allgather_bucket_size")
    overlaps = try settings.optionalBool("overlap_comm") ?? (partitioning == 3)
    contiguous = try settings.bool("contiguous_gradients")
    scatters = try settings.bool("reduce_scatter")
    roundRobin = try settings.bool("round_robin_gradients")
    subGroup = Int(try settings.number("sub_group_size"))
    prefetchBucket = Int(try settings.number("stage3_prefetch_bucket_size"))
    maxLive = Int(try settings.number("stage3_max_live_parameters"))
    maxReuse = Int(try settings.number("stage3_max_reuse_distance"))
    persistence = Int(try settings.number("stage3_param_persistence_threshold"))
    _ = try settings.bool("stage3_gather_16bit_weights_on_model_save")
    _ = try settings.bool("allgather_partitions")
    _ = try settings.bool("use_multi_rank_bucket_allreduce")
    gathersMixtures = try Self.gathersMixtures(&settings)
    usesTorchAdam = try settings.bool("torch_adam")
    allowsUntested = try settings.bool("zero_allow_untested_optimizer")
    lowPrecisionMaster = try settings.bool("bf16_master_weights_and_grads")
    lowPrecisionStates = try settings.bool("bf16_optimizer_states")
    accumulation =
      try settings.value("grad_accum_dtype") == nil
      ? nil : DType(rawValue: (settings.choice("grad_accum_dtype") as Format).rawValue)
    updatesImmediately = try settings.bool("immediate_grad_update")
    optimizerOffload = try ZeroOffload.read("offload_optimizer", &settings)
    parameterOffload = try ZeroOffload.read("offload_param", &settings)
  }

  /// Whether `leaf_module.classes` is DeepSpeed's own list, its default, or empty.
  private static func gathersMixtures(_ settings: inout Settings) throws(PlanError) -> Bool {
    guard var leaf = try settings.object("leaf_module") else { return true }
    let classes = try leaf.optionalStrings("classes")
    try leaf.finish()
    guard let classes, !classes.isEmpty else { return classes == nil }
    let known = ["MixtralSparseMoeBlock", "Qwen2MoeSparseMoeBlock", "Qwen3MoeSparseMoeBlock"]
    let names = classes.map { $0.split(separator: ".").last.map(String.init) ?? "" }
    guard names.allSatisfy(known.contains) else {
      throw PlanError(
        .unsupported, "leaf modules other than DeepSpeed's own list cannot be planned",
        path: settings.place("leaf_module"),
        fix: "Leave it out, or write \"classes\": [] for none.")
    }
    return true
  }

  /// See ``Strategy/label``.
  public var label: String {
    let places = [
      optimizerOffload.map { "optimizer on the \($0.device.place)" },
      parameterOffload.map { "parameters on the \($0.device.place)" },
    ].compactMap { $0 }
    return (["ZeRO-\(partitioning) over \(shards) devices"] + places).joined(separator: ", ")
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    try check(plan)
    plan.dataParallel = shards
    plan.communicators += shards > 1 ? 1 : 0
    plan.optimizer = ZeroOptimizer(
      plan.optimizer, torchAdam: usesTorchAdam, isOnHost: optimizerOffload != nil)
    plan.updatesOnHost = optimizerOffload != nil
    // The norm is always computed, by DeepSpeed's own code: clipping only adds a product in place.
    plan.clipping = nil
    plan.context.savesLinearInputs = partitioning == 3
    plan.context.castsAdapters = plan.context.dtype != .fp32
    plan.assumptions.append(assumption)
    if partitioning == 3, plan.context.quantization != nil {
      plan.assumptions.append(Self.quantizedReserve)
    }
    // Devices that share a sequence share the states as well.
    var whole = self
    whole.shards = try checkedProduct(shards, plan.mesh.context)
    plan.distribution = { [settings = whole] (graph, plan) throws(PlanError) in
      try settings.check(graph, plan)
      if settings.partitioning == 3 {
        return try ZeroGatheredStep(settings, graph, plan)
      }
      if settings.addsUpApart(plan.context.dtype) {
        return ZeroReplicatedStep(settings, graph.program, plan)
      }
      return ZeroPartitionedStep(settings, graph.program, plan)
    }
  }

  /// Whether DeepSpeed's BF16_Optimizer takes the place of stage 1's.
  ///
  /// Source: `_do_optimizer_sanity_check` in `deepspeed/runtime/engine.py`.
  func addsUpApart(_ model: DType) -> Bool {
    partitioning == 1 && model == .bf16 && accumulation == .fp32 && optimizerOffload == nil
  }

  private var assumption: Assumption {
    let rank =
      partitioning == 3
      ? "rank 0; memory that another stream has read is free for the next allocation"
      : "the rank whose gradients are the largest and reduced first"
    return Assumption(
      "zero", "DeepSpeed 0.19.8 runs ZeRO stage \(partitioning), on \(rank)",
      source: "deepspeed/runtime/zero, DeepSpeed 0.19.8")
  }
}

extension Zero {
  /// What is known of the allocator beside 4-bit weights.
  private static let quantizedReserve = Assumption(
    "ZeRO",
    "4-bit weights in stage 3: what is reserved was 13 % below to 14 % above DeepSpeed's in 14 small runs, so leave room",
    source: "DeepSpeed 0.19.8, measured")
}

extension Zero: SpreadingStrategy {
  /// The data-parallel world.
  public var devices: Int { shards }
  /// More devices hold smaller parts.
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

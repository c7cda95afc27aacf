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
    partitioning = try settings.integer("stage", in: 1...3)
    shards = try settings.integer("shards", in: 1...1_000_000)
    reduceBucket = try Self.size("reduce_bucket_size", 500_000_000, &settings, atLeast: 1)
    _ = try Self.size("allgather_bucket_size", 500_000_000, &settings, atLeast: 2)
    overlaps = try settings.bool("overlap_comm", default: partitioning == 3)
    contiguous = try settings.bool("contiguous_gradients", default: true)
    scatters = try settings.bool("reduce_scatter", default: true)
    roundRobin = try settings.bool("round_robin_gradients", default: false)
    subGroup = try Self.size("sub_group_size", 1_000_000_000, &settings, atLeast: 1)
    prefetchBucket = try Self.size("stage3_prefetch_bucket_size", 50_000_000, &settings)
    maxLive = try Self.size("stage3_max_live_parameters", 1_000_000_000, &settings)
    maxReuse = try Self.size("stage3_max_reuse_distance", 1_000_000_000, &settings)
    persistence = try Self.size("stage3_param_persistence_threshold", 100_000, &settings)
    _ = try settings.bool("stage3_gather_16bit_weights_on_model_save", default: false)
    _ = try settings.bool("allgather_partitions", default: true)
    _ = try settings.bool("use_multi_rank_bucket_allreduce", default: true)
    gathersMixtures = try Self.gathersMixtures(&settings)
    usesTorchAdam = try settings.bool("torch_adam", default: false)
    allowsUntested = try settings.bool("zero_allow_untested_optimizer", default: false)
    lowPrecisionMaster = try settings.bool("bf16_master_weights_and_grads", default: false)
    lowPrecisionStates = try settings.bool("bf16_optimizer_states", default: false)
    accumulation = try Self.format("grad_accum_dtype", &settings)
    updatesImmediately = try settings.bool("immediate_grad_update", default: false)
    optimizerOffload = try ZeroOffload.read("offload_optimizer", &settings)
    parameterOffload = try ZeroOffload.read("offload_param", &settings)
  }

  /// One of the floating-point formats, as `data_types` names them.
  private static func format(_ key: String, _ settings: inout Settings) throws(PlanError) -> DType?
  {
    guard let name = try settings.optionalString(key) else { return nil }
    let known: [DType] = [.fp32, .bf16, .fp16]
    if let format = known.first(where: { $0.rawValue == name }) { return format }
    throw PlanError(
      .invalid, "\"\(name)\" is no format to add gradients up in", path: settings.place(key),
      fix: "Use \"fp32\", \"bf16\" or \"fp16\".")
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

  /// A number of elements, which DeepSpeed's examples write as `5e8`.
  private static func size(
    _ key: String, _ value: Int, _ settings: inout Settings, atLeast: Int = 0
  ) throws(PlanError) -> Int {
    let most = 1e12
    guard let number = try settings.optionalNumber(key, in: Double(atLeast)...most) else {
      return value
    }
    return Int(number)
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

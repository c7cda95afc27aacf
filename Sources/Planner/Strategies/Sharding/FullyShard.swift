/// Cuts parameters, gradients and optimizer states over devices, layer by layer: PyTorch's `fully_shard` (FSDP2).
///
/// Source: Zhao et al. 2023, arXiv:2304.11277; `torch/distributed/fsdp/_fully_shard`, PyTorch 2.11.
public struct FullyShard: Strategy {
  /// See ``Strategy/name``.
  public static let name = "fsdp"
  /// See ``Strategy/summary``.
  public static let summary =
    "Cuts parameters, gradients and optimizer states over devices (PyTorch's fully_shard, or version 1)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.sharding
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.dataParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] =
    [
      SettingKey(needed: "shards", .integer(1...1_000_000), "devices that states are cut over"),
      SettingKey(
        "replicas", .integer(1...1_000_000), default: 1, "groups of such devices, each with a copy"),
      SettingKey(
        "version", .integer(1...2), default: 2, "2 is fully_shard, 1 is FullyShardedDataParallel"),
      SettingKey(
        "reshard_after_forward",
        .other("true, false, or a number of ranks that divides the shards and is smaller", true),
        otherwise: "true in the layers, false in the root",
        "gathered parameters are freed after forward, or kept by so many ranks",
        with: .key("version", 2)),
      SettingKey(
        "parameter_precision", .choice(of: Format.self), otherwise: "the model's format",
        "param_dtype of the mixed precision"),
      SettingKey(
        "reduce_precision", .choice(of: Format.self), otherwise: "parameter_precision",
        "reduce_dtype of the mixed precision"),
      SettingKey(
        "cpu_offload", .truth, default: false, "shards, gradients and optimizer on the host"),
      SettingKey(
        "no_sync", .truth, default: false, "only the last micro-batch's backward reduces gradients"),
    ] + FullyShardedDataParallel.keys

  /// What becomes of gathered parameters after forward (`reshard_after_forward`).
  public enum Reshard: Hashable, Sendable {
    /// They are freed and gathered again in backward.
    case always
    /// They stay for backward.
    case never
    /// They are cut over so many ranks only.
    case to(Int)
  }

  /// Ranks that a parameter is cut over.
  public private(set) var shards: Int
  /// Groups of such ranks that hold the same shards (HSDP).
  public let replicas: Int
  /// For the layers.
  public let layerReshard: Reshard
  /// For what is left of the model.
  public let rootReshard: Reshard
  /// The format that parameters are gathered and compute in (`param_dtype`), or `nil` for their own.
  public let parameterFormat: DType?
  /// The format that gradients are reduced in (`reduce_dtype`), or `nil` for that of the gradients.
  public let reduceFormat: DType?
  /// Whether shards, their gradients and the optimizer lie on the host (`CPUOffloadPolicy`).
  public let offloads: Bool
  /// Whether only the last micro-batch's backward reduces (`set_requires_gradient_sync(False)` ahead of it).
  public let defersReduction: Bool
  /// The settings of the first FSDP, `FullyShardedDataParallel`, or `nil` for `fully_shard`.
  var older: FullyShardedDataParallel?

  /// Cuts over so many ranks.
  public init(
    shards: Int, replicas: Int = 1, layerReshard: Reshard = .always, rootReshard: Reshard = .never,
    parameterFormat: DType? = nil, reduceFormat: DType? = nil, offloads: Bool = false,
    defersReduction: Bool = false
  ) {
    self.shards = shards
    self.replicas = replicas
    self.layerReshard = layerReshard
    self.rootReshard = rootReshard
    self.parameterFormat = parameterFormat
    self.reduceFormat = reduceFormat
    self.offloads = offloads
    self.defersReduction = defersReduction
  }
}

extension FullyShard {
  /// Number formats that a setting may name.
  private enum Format: String, CaseIterable {
    case fp32, bf16, fp16
    var dtype: DType {
      switch self {
      case .fp32: .fp32
      case .bf16: .bf16
      case .fp16: .fp16
      }
    }
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    shards = try settings.integer("shards")
    replicas = try settings.integer("replicas")
    let version = try settings.integer("version")
    (layerReshard, rootReshard) =
      version == 1 ? (.always, .never) : try Self.reshard(&settings, shards: shards)
    parameterFormat = try Self.format("parameter_precision", &settings)
    reduceFormat = try Self.format("reduce_precision", &settings)
    offloads = try settings.bool("cpu_offload")
    defersReduction = try settings.bool("no_sync")
    if version == 1 { older = try FullyShardedDataParallel(&settings, self) }
  }

  private static func format(_ key: String, _ settings: inout Settings) throws(PlanError) -> DType?
  {
    if case .null? = settings.value(key) { return nil }
    guard settings.value(key) != nil else { return nil }
    let format: Format = try settings.choice(key)
    return format.dtype
  }

  /// `true` and `false` hold for the root as well; by default only the layers reshard.
  private static func reshard(_ settings: inout Settings, shards: Int) throws(PlanError)
    -> (Reshard, Reshard)
  {
    let key = "reshard_after_forward"
    switch settings.value(key) {
    case nil, .null?: return (.always, .never)
    case .bool(true)?: return (.always, .always)
    case .bool(false)?: return (.never, .never)
    case .integer(let ranks)? where ranks > 1 && ranks < shards && shards % ranks == 0:
      return (.to(ranks), .to(ranks))
    case let value?:
      throw PlanError(
        .invalid, "cannot reshard to \(value.shown) of \(shards) shards",
        path: settings.place(key),
        fix: "Write true, false, or a number of ranks that divides \(shards) and is smaller.")
    }
  }

  /// See ``Strategy/label``.
  public var label: String {
    if let older { return older.label }
    let spread = replicas > 1 ? "\(replicas) × \(shards)" : "\(shards)"
    let reshards =
      switch layerReshard {
      case .always: ""
      case .never: ", not resharded after forward"
      case .to(let ranks): ", resharded to \(ranks) after forward"
      }
    return "FSDP over \(spread) devices" + reshards + (offloads ? ", on the host" : "")
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    let (devices, overflow) = shards.multipliedReportingOverflow(by: replicas)
    guard !overflow, devices <= 1_000_000 else {
      throw PlanError(
        .invalid, "\(replicas) × \(shards) devices are more than 1,000,000",
        path: "strategies.fsdp.replicas", fix: "Use fewer replicas or shards.")
    }
    if let older {
      try older.check(plan)
      plan.context.cachesCasts = false
      plan.assumptions.append(FullyShardedDataParallel.wrapping)
    } else {
      try Self.check(plan)
    }
    plan.dataParallel = devices
    plan.communicators += devices == 1 ? 0 : replicas > 1 ? 3 : 1
    plan.updatesOnHost = offloads
    if let parameterFormat {
      plan.context.bufferFormat = plan.context.bufferFormat ?? plan.context.dtype
      plan.context.storedFormat = plan.context.dtype
      plan.context.dtype = parameterFormat
    }
    // Devices that share a sequence share the states as well.
    var settings = self
    settings.shards = try checkedProduct(shards, plan.mesh.context)
    plan.distribution = { [settings] (graph, plan) throws(PlanError) in
      if let older = settings.older { return try FlatShardedStep(older, graph, plan) }
      return try FullyShardedStep(settings, graph.program, plan)
    }
  }

  /// Refuses what `fully_shard` does not run, or what nobody measured under it.
  private static func check(_ plan: TrainingPlan) throws(PlanError) {
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.conflict, what, path: path, fix: fix)
    }
    if plan.context.quantization != nil {
      throw refuse(
        "fully_shard cannot cut bitsandbytes' quantized weights: they are not of a floating format",
        "strategies.lora.base_quantization",
        "Leave \"base_quantization\" out, or use ddp, which keeps them whole.")
    }
    guard plan.optimizer is AdamW || plan.optimizer is Adam || plan.optimizer is SGD else {
      throw refuse(
        "\(plan.optimizer.label) does not update the shards of fully_shard (DTensor)",
        "optimizer.name", "Use adamw, adam or sgd.")
    }
    let pieces = plan.retention(2)
    if pieces.contains(where: { $0.pattern.contains(.recompute(reentrant: true)) }) {
      throw refuse(
        "reentrant checkpoints under fully_shard cannot be planned",
        "strategies.checkpointing.reentrant",
        "Leave \"reentrant\" out: PyTorch recommends non-reentrant checkpoints there.")
    }
  }
}

extension FullyShard: SpreadingStrategy {
  /// All shards of all replicas.
  public var devices: Int { shards &* replicas }
  /// More shards are smaller, unless nothing is cut.
  public var sharesStates: Bool { older?.sharding != .noShard }
  /// A shard in each replica, or as many shards as it reshards to.
  public var unit: Int {
    if case .to(let ranks) = layerReshard { return replicas &* ranks }
    return replicas
  }
  /// The same with other shards.
  public func over(_ devices: Int) -> any SpreadingStrategy {
    var other = self
    other.shards = max(1, devices / replicas)
    other.older?.shards = other.shards
    return other
  }
}

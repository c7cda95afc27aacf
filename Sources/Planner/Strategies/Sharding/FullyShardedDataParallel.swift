/// The first FSDP, `FullyShardedDataParallel`: each layer's parameters are one flat tensor, cut over devices.
///
/// Every decoder layer is wrapped, and what is left is the root's, as transformers' Trainer and accelerate do it.
///
/// Source: Zhao et al. 2023, arXiv:2304.11277; `torch/distributed/fsdp/fully_sharded_data_parallel.py`, PyTorch 2.11.
struct FullyShardedDataParallel: Sendable {
  /// What is cut, and what is freed after forward (`sharding_strategy`).
  enum Sharding: String, CaseIterable {
    /// Everything; gathered parameters are freed after forward.
    case fullShard = "full_shard"
    /// Everything; gathered parameters stay for backward.
    case shardGradOp = "shard_grad_op"
    /// Nothing: every device has a whole copy.
    case noShard = "no_shard"
    /// As `full_shard` within a group of devices, and a copy in each group.
    case hybridShard = "hybrid_shard"
    /// As `shard_grad_op` within a group of devices, and a copy in each group.
    case hybridShardGradOp = "hybrid_shard_zero2"

    var isHybrid: Bool { self == .hybridShard || self == .hybridShardGradOp }
    var reshards: Bool { self == .fullShard || self == .hybridShard }
  }

  /// When the next layer's parameters are gathered in backward (`backward_prefetch`).
  enum Prefetch: String, CaseIterable {
    case before = "backward_pre"
    case after = "backward_post"
    case none
  }

  /// Ranks that a flat parameter is cut over.
  var shards: Int
  /// Groups of such ranks.
  var replicas = 1
  var sharding = Sharding.fullShard
  var prefetch = Prefetch.before
  /// Whether the next layer's parameters are gathered ahead in forward as well (`forward_prefetch`).
  var prefetchesForward = false
  /// Whether the optimizer sees the original parameters (`use_orig_params`).
  var keepsOriginals = true
  /// `MixedPrecision(param_dtype)`, or `nil`.
  var parameterFormat: DType?
  /// `MixedPrecision(reduce_dtype)`, or `nil`.
  var reduceFormat: DType?
  /// Whether shards, their gradients and the optimizer lie on the host (`CPUOffload`).
  var offloads = false
  /// Whether only the last micro-batch's backward reduces (`no_sync`).
  var defersReduction = false
  /// Whether checkpoints lie around the units (`layer.__call__` is checkpointed, as by transformers 4.48) and not
  /// inside them (`GradientCheckpointingLayer` of today's transformers).
  var isCheckpointedWhole = false

  /// Whether nothing is cut; with one rank FSDP turns to that by itself.
  var isWhole: Bool { sharding == .noShard || shards == 1 && !sharding.isHybrid }
  /// Devices among which a flat parameter is cut.
  var ranks: Int { isWhole ? 1 : shards }
}

extension FullyShardedDataParallel {
  /// What it reads beside what both versions have.
  static let keys = [
    SettingKey(
      "sharding_strategy", .choice(of: Sharding.self),
      otherwise: "\"full_shard\", with replicas \"hybrid_shard\"",
      "what is cut, and what is freed after forward", with: .key("version", 1)),
    SettingKey(
      "backward_prefetch", .choice(of: Prefetch.self), default: "backward_pre",
      "when backward gathers the next layer", with: .key("version", 1)),
    SettingKey(
      "forward_prefetch", .truth, default: false, "forward gathers the next layer ahead as well",
      with: .key("version", 1)),
    SettingKey(
      "use_orig_params", .truth, default: true, "the optimizer sees the original parameters",
      with: .key("version", 1)),
    SettingKey(
      "checkpoints_around_units", .truth, default: false,
      "checkpoints lie around the units (transformers 4.48), not in them",
      with: .key("version", 1)),
    SettingKey(
      "limit_all_gathers", .truth, default: true, "only true is planned",
      with: .key("version", 1)),
  ]

  /// Reads what is particular to this version.
  init(_ settings: inout Settings, _ common: FullyShard) throws(PlanError) {
    shards = common.shards
    replicas = common.replicas
    parameterFormat = common.parameterFormat
    reduceFormat = common.reduceFormat
    offloads = common.offloads
    defersReduction = common.defersReduction
    sharding = try settings.choice(
      "sharding_strategy", default: replicas > 1 ? .hybridShard : .fullShard)
    prefetch = try settings.choice("backward_prefetch")
    prefetchesForward = try settings.bool("forward_prefetch")
    keepsOriginals = try settings.bool("use_orig_params")
    isCheckpointedWhole = try settings.bool("checkpoints_around_units")
    if settings.has("reshard_after_forward") {
      throw PlanError(
        .conflict,
        "version 1 says with \"sharding_strategy\" what becomes of parameters after forward",
        path: settings.place("reshard_after_forward"),
        fix: "Write \"sharding_strategy\": \"full_shard\" for true, \"shard_grad_op\" for false.")
    }
    guard sharding.isHybrid || replicas == 1 else {
      throw PlanError(
        .conflict, "\(sharding.rawValue) has no replicas", path: settings.place("replicas"),
        fix: "Use \"hybrid_shard\", or leave \"replicas\" out.")
    }
    if try settings.bool("limit_all_gathers") == false {
      throw PlanError(
        .unsupported,
        "how far unlimited all-gathers run ahead depends on the speed of host and device",
        path: settings.place("limit_all_gathers"), fix: "Leave it out: true is PyTorch's default.")
    }
  }

  /// The technique in a few words.
  var label: String {
    let spread = replicas > 1 ? "\(replicas) × \(shards)" : "\(shards)"
    return "FSDP 1 over \(spread) devices, \(sharding.rawValue)" + (offloads ? ", on the host" : "")
  }

  /// Refuses what this version does not run.
  func check(_ plan: TrainingPlan) throws(PlanError) {
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.conflict, what, path: path, fix: fix)
    }
    if plan.context.quantization != nil, !(plan.context.quantization is FourBitWeight) {
      throw refuse(
        "FSDP cannot flatten 8-bit integers", "strategies.lora.base_quantization",
        "Use \"nf4\", which it keeps in the model's format, or ddp, which keeps weights whole.")
    }
    if plan.optimizer.stepsInBackward {
      throw refuse(
        "an optimizer that steps in backward cannot be planned under FSDP", "optimizer",
        "Leave \"in_backward\" out.")
    }
    guard Self.elementwise.contains(where: { $0 == type(of: plan.optimizer) }) else {
      throw refuse(
        "\(plan.optimizer.label) needs whole matrices, FSDP gives it pieces of a flat tensor",
        "optimizer.name", "Use adamw, adam, sgd or an 8-bit one.")
    }
    if offloads, plan.microBatches > 1, !defersReduction {
      throw refuse(
        "FSDP does not accumulate gradients outside no_sync while they lie on the host",
        "strategies.fsdp.cpu_offload", "Add \"no_sync\": true, or leave \"cpu_offload\" out.")
    }
    if offloads, isWhole {
      throw refuse(
        "what is not cut cannot be planned on the host", "strategies.fsdp.cpu_offload",
        "Cut it over several devices, or leave \"cpu_offload\" out.")
    }
    if offloads, replicas > 1 {
      throw refuse(
        "replicas with parameters on the host cannot be planned", "strategies.fsdp.cpu_offload",
        "Leave \"cpu_offload\" or \"replicas\" out.")
    }
    if !plan.adaptedModules.isEmpty, parameterFormat != nil, plan.context.autocast == nil {
      throw refuse(
        "PEFT casts an adapter's input to the format of its share, but its gathered weight has another",
        "strategies.fsdp.parameter_precision",
        "Leave it out, or use precision \"bf16-mixed\", whose autocast makes them agree.")
    }
  }

  /// What is wrapped, and when memory is free again.
  static let wrapping = Assumption(
    "fsdp_units",
    "each layer is wrapped, each adapter apart, and the rest is the root's; tensors that other streams still read count "
      + "as live up to the next allocation",
    source: "transformers' Trainer, peft.utils.other.fsdp_auto_wrap_policy")

  /// Optimizers that treat a tensor the same whatever its shape.
  private static let elementwise: [any Optimizer.Type] = [
    AdamW.self, Adam.self, SGD.self, AdamW8bit.self, PagedAdamW.self, PagedAdamW8bit.self,
    Lion.self, Lion8bit.self, PagedLion8bit.self,
  ]
}

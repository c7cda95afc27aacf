/// Megatron's data parallelism: fp32 gradients in one buffer, and an optimizer that may be shared.
///
/// Without the distributed optimizer 18 bytes a parameter stay on every device, with it 6 + 12/d.
///
/// Source: `megatron/core/distributed/distributed_data_parallel.py`, `param_and_grad_buffer.py`,
/// `megatron/core/optimizer/distrib_optimizer.py`, core 0.16.1.
public struct MegatronDataParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "data_parallel"
  /// See ``Strategy/summary``.
  public static let summary =
    "Megatron's data parallelism: fp32 gradient buffers, optionally a distributed optimizer."
  /// See ``Strategy/stage``.
  public static let stage = Stage.sharding
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.dataParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "degree", .integer(1...1_000_000), "copies of the model"),
    SettingKey(
      "distributed_optimizer", .truth, default: false,
      "each device has a part of the main weights and states"),
    SettingKey(
      "overlap_grad_reduce", .truth, default: false, "gradients are reduced during backward"),
    SettingKey(
      "overlap_param_gather", .truth, default: false, "weights are gathered during forward",
      with: .key("distributed_optimizer", true)),
    SettingKey(
      "ddp_bucket_size", .integer(1...1_000_000_000_000), otherwise: "Megatron's choice",
      "parameters of a bucket"),
    SettingKey(
      "num_distributed_optimizer_instances", .integer(1...1_000_000), default: 1,
      "groups of copies that each share one optimizer; divides the degree"),
  ]

  /// Copies of the model.
  public private(set) var degree: Int
  /// Whether each device has a part of the main weights and states (`--use-distributed-optimizer`).
  public let sharesOptimizer: Bool
  /// Whether gradients are reduced bucket by bucket during backward (`--overlap-grad-reduce`).
  public let overlapsReduction: Bool
  /// Whether weights are gathered bucket by bucket during forward (`--overlap-param-gather`).
  public let overlapsGather: Bool
  /// Parameters of a bucket (`--ddp-bucket-size`), or `nil` for Megatron's choice.
  public let bucketSize: Int?

  /// Groups of copies that each share one optimizer (`--num-distributed-optimizer-instances`).
  public let instances: Int

  /// So many copies.
  public init(degree: Int, sharesOptimizer: Bool = false) {
    (self.degree, self.sharesOptimizer) = (degree, sharesOptimizer)
    (overlapsReduction, overlapsGather, bucketSize, instances) = (false, false, nil, 1)
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    degree = try settings.integer("degree")
    sharesOptimizer = try settings.bool("distributed_optimizer")
    overlapsReduction = try settings.bool("overlap_grad_reduce")
    overlapsGather = try settings.bool("overlap_param_gather")
    bucketSize = try settings.optionalInteger("ddp_bucket_size")
    instances = try settings.integer("num_distributed_optimizer_instances")
    guard degree % instances == 0 else {
      throw PlanError(
        .invalid, "\(degree) copies cannot be cut into \(instances) equal groups",
        path: settings.place("num_distributed_optimizer_instances"),
        fix: "Choose a number that divides the degree.")
    }
    guard !overlapsGather || sharesOptimizer else {
      throw PlanError(
        .conflict, "there is nothing to gather without a distributed optimizer",
        path: settings.place("overlap_param_gather"),
        fix: "Add \"distributed_optimizer\": true, or leave it out.")
    }
  }

  /// See ``Strategy/label``.
  public var label: String {
    "data parallel over \(degree)" + (sharesOptimizer ? ", distributed optimizer" : "")
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.dataParallel = degree
    if degree > 1 { plan.communicators += 1 }
    plan.optimizer = MegatronAdam()
    let settings = self
    plan.distribution = { (graph, plan) throws(PlanError) in
      MegatronStep(settings, graph, plan)
    }
  }
}

extension MegatronDataParallel: SpreadingStrategy {
  /// One for each copy.
  public var devices: Int { degree }
  /// Where the optimizer is shared.
  public var sharesStates: Bool { sharesOptimizer }
  /// One copy more or less in each group that shares an optimizer.
  public var unit: Int { instances }
  /// The same with another number of copies.
  public func over(_ devices: Int) -> any SpreadingStrategy {
    var other = self
    other.degree = devices
    return other
  }
}

/// Apex's or Transformer Engine's FusedAdam, whose step allocates nothing.
///
/// Its states are ``MegatronStep``'s. Source: `transformer_engine/pytorch/optimizers/fused_adam.py`.
struct MegatronAdam: Optimizer {
  static let name = "adam"
  static let summary = "Adam over fp32 main weights."
  init() {}
  init(_ settings: inout Settings) throws(PlanError) {}
  var label: String { "Adam (FusedAdam over fp32 main weights)" }
  var implementation: OptimizerImplementation { .fused }
  func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] { [] }
  func step(_ step: inout OptimizerStep) throws(PlanError) {}
}

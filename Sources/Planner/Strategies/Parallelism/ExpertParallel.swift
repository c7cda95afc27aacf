/// Shares a layer's experts among devices.
///
/// Megatron's tokens travel to the experts that they chose. With transformers' `ep_plan` all devices have the same
/// tokens, and add up what their experts made of them.
///
/// Source: Lepikhin et al. 2020, arXiv:2006.16668; `DistributedConfig.enable_expert_parallel`, transformers 5.17.
public struct ExpertParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "expert_parallel"
  /// See ``Strategy/summary``.
  public static let summary = "Shares a layer's experts among devices."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.expertParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "degree", .integer(1...4096), "devices that share a layer's experts")
  ]

  /// Devices that share a layer's experts.
  public let degree: Int

  /// Shares them among so many devices.
  public init(degree: Int) { self.degree = degree }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    degree = try settings.integer("degree")
  }

  /// See ``Strategy/label``.
  public var label: String { "experts shared by \(degree)" }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.mesh.expert = degree
    plan.mesh.expertsAddDevices = plan.context.framework == .torch
    if degree > 1 { plan.communicators += 1 }
  }
}

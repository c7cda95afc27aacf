/// Cuts what lies between tensor-parallel matrices along the sequence: norms, residual stream, dropouts.
///
/// Source: Korthikanti et al. 2022, arXiv:2205.05198; `SequenceParallel` in
/// `torch/distributed/tensor/parallel/style.py`, PyTorch 2.11.
public struct SequenceParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "sequence_parallel"
  /// See ``Strategy/summary``.
  public static let summary =
    "Cuts what lies between tensor-parallel matrices along the sequence: norms, residual stream."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.sequenceParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = []

  /// Cuts the sequence.
  public init() {}

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {}

  /// See ``Strategy/label``.
  public var label: String { "sequence parallel" }

  /// Writes the decisions into the plan; ``TensorParallel`` ran before.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    guard plan.mesh.tensor > 1 else {
      throw PlanError(
        .conflict, "sequence_parallel cuts between tensor-parallel matrices, and none are cut",
        path: "strategies.sequence_parallel",
        fix: "Add \"tensor_parallel\": {\"degree\": 2} or more, or leave it out.")
    }
    plan.mesh.cutsSequence = true
  }
}

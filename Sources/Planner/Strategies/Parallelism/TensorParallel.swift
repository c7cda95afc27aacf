/// Cuts each layer's matrices over devices that work on the same samples: tensor parallelism.
///
/// Source: Shoeybi et al. 2019, arXiv:1909.08053. Whose code cuts them is ``Framework``'s: DTensor's `ColwiseParallel`
/// and `RowwiseParallel`, as `transformers`' `tp_plan` and, with ``SequenceParallel``, torchtitan use them.
public struct TensorParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "tensor_parallel"
  /// See ``Strategy/summary``.
  public static let summary =
    "Cuts each layer's matrices over devices that work on the same samples."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.tensorParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "degree", .integer(1...1024), "devices that share each matrix"),
    SettingKey(
      "loss_parallel", .truth, otherwise: "what the framework does",
      "the loss works on logits that are cut along the vocabulary"),
  ]

  /// Devices that share each matrix.
  public let degree: Int
  /// Whether the loss works on logits cut along the vocabulary (`loss_parallel`); `nil` for what the framework does.
  public let cutsLogits: Bool?

  /// Cuts over so many devices.
  public init(degree: Int, cutsLogits: Bool? = nil) {
    (self.degree, self.cutsLogits) = (degree, cutsLogits)
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    degree = try settings.integer("degree")
    cutsLogits = try settings.optionalBool("loss_parallel")
  }

  /// See ``Strategy/label``.
  public var label: String { "tensor parallel over \(degree)" }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.mesh.tensor = degree
    plan.mesh.cutsLogits = cutsLogits
    if degree > 1 { plan.communicators += 1 }
  }
}

/// AdamW whose states for linear layers lie in a subspace of the gradient (GaLore).
///
/// Source: `AdamW` in `galore_torch/adamw.py`, galore-torch 1.0; Zhao et al. 2024, arXiv:2403.03507.
public struct GaLoreAdamW: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "galore-adamw"
  /// See ``Optimizer/summary``.
  public static let summary =
    "AdamW on gradients projected to a low rank (GaLore): small states for linear layers."
  private let projection: LowRankProjection

  /// See ``Optimizer/keys``.
  public static let keys = LowRankProjection.keys

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    projection = try LowRankProjection(&settings)
  }

  /// See ``Optimizer/label``.
  public var label: String { "GaLore AdamW, rank \(projection.rank)" }
  /// One parameter after the other; gradients are clipped by PyTorch's default.
  public var implementation: OptimizerImplementation { .foreach }
  /// What the planner takes for granted about it.
  public var assumptions: [Assumption] { [projection.assumption, SingularVectors.assumption] }

  /// The two moments of a parameter that is not projected.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    [parameter, parameter]
  }

  /// The two moments in the subspace and the projection matrix.
  public func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec] {
    guard projection.applies(to: weight) else { return try states(of: weight.spec) }
    let vectors = SingularVectors(gradient: weight.spec, rank: projection.rank)
    return [try vectors.projected, try vectors.projected, try vectors.matrix]
  }

  /// See ``Optimizer/check(_:)``.
  public func check(_ weights: [TrainedWeight]) throws(PlanError) { try projection.check(weights) }

  /// Names of the loop: the projected gradient, the denominator, and the update, which projecting it back makes full.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    var (gradient, denominator, update) = (0, 0, 0)
    var (plain, projected) = projection.groups(step)
    plain.forEach { step, weight, _ in
      step.rebind(&denominator, to: weight.spec.bytes)
      step.rebind(&update, to: weight.spec.bytes)
    }
    projected.schedule = plain.schedule
    try projected.forEachThrowing { (step, weight) throws(PlanError) in
      let vectors = SingularVectors(gradient: weight.spec, rank: projection.rank)
      let low = try vectors.projected.bytes
      step.free(gradient)
      try vectors.renew(&step)
      gradient = low
      step.allocate(low)
      step.rebind(&denominator, to: low)
      step.rebind(&update, to: low)
      step.allocate(weight.spec.bytes)
      step.allocate(weight.spec.bytes)
      step.free(weight.spec.bytes)
      step.free(low)
      update = weight.spec.bytes
    }
    for bytes in [gradient, denominator, update] { projected.free(bytes) }
    step.schedule = projected.schedule
  }
}

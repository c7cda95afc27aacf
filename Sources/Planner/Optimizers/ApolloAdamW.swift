/// AdamW's scaling, estimated in a random low-rank subspace and applied to the whole gradient (APOLLO).
///
/// With `rank` 1 and `scale_type` `tensor` it is APOLLO-Mini.
///
/// Source: `AdamW` in `apollo_torch/apollo.py` and `GradientProjector` in `apollo_torch/random_projector.py`,
/// apollo-torch 1.0.3; Zhu et al. 2024, arXiv:2412.05270.
public struct ApolloAdamW: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "apollo-adamw"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Gradients scaled by AdamW's states of a random low-rank projection (APOLLO)."
  private let projection: LowRankProjection
  private let scaling: Scaling

  /// What one scaling factor belongs to.
  private enum Scaling: String, CaseIterable { case channel, tensor }
  /// How the projection is made; `svd` is GaLore's.
  private enum Projector: String, CaseIterable { case random }

  /// See ``Optimizer/keys``.
  public static let keys =
    LowRankProjection.keys + [
      SettingKey(
        "scale_type", .choice(of: Scaling.self), default: "channel", "what one factor scales"),
      SettingKey("proj", .choice(of: Projector.self), default: "random", "the projection"),
    ]

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    projection = try LowRankProjection(&settings)
    scaling = try settings.choice("scale_type")
    let _: Projector = try settings.choice("proj")
  }

  /// See ``Optimizer/label``.
  public var label: String { "APOLLO, rank \(projection.rank), a factor per \(scaling.rawValue)" }
  /// One parameter after the other; gradients are clipped by PyTorch's default.
  public var implementation: OptimizerImplementation { .foreach }
  /// What the planner takes for granted about it.
  public var assumptions: [Assumption] {
    [
      projection.assumption,
      Assumption(
        "projection_step", "the step that draws the projections anew, one in update_proj_gap",
        source: "apollo-torch 1.0.3, random_projector.py"),
    ]
  }

  /// The two moments of a parameter that is not projected.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    [parameter, parameter]
  }

  /// The two moments in the subspace, the projection matrix, and the norm of the last update.
  public func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec] {
    guard projection.applies(to: weight) else { return try states(of: weight.spec) }
    let low = try projected(weight.spec)
    return [low, low, try matrix(weight.spec), weight.spec.scalar]
  }

  /// See ``Optimizer/check(_:)``.
  public func check(_ weights: [TrainedWeight]) throws(PlanError) { try projection.check(weights) }

  private func projected(_ spec: TensorSpec) throws(PlanError) -> TensorSpec {
    try TensorSpec(max(spec.rows, spec.columns), projection.rank, spec.dtype)
  }

  private func matrix(_ spec: TensorSpec) throws(PlanError) -> TensorSpec {
    try TensorSpec(min(spec.rows, spec.columns), projection.rank, spec.dtype)
  }

  /// Names of the loop: the projected gradient, the denominator, the update, its factor, and the scaled gradient,
  /// which outlives its parameter.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    var names = Names()
    var (plain, projected) = projection.groups(step)
    plain.forEach { step, weight, _ in
      step.rebind(&names.denominator, to: weight.spec.bytes)
      step.rebind(&names.update, to: weight.spec.bytes)
    }
    projected.schedule = plain.schedule
    try projected.forEachThrowing { (step, weight) throws(PlanError) in
      try update(weight.spec, &names, &step)
    }
    for bytes in [
      names.gradient, names.denominator, names.update, names.factor, names.scaled, names.norm,
      names.limiter,
    ] { projected.free(bytes) }
    step.schedule = projected.schedule
  }

  /// Bytes of what the loop's names are bound to.
  private struct Names {
    var (gradient, denominator, update, factor, scaled, norm, limiter) = (0, 0, 0, 0, 0, 0, 0)
  }

  private func update(_ spec: TensorSpec, _ names: inout Names, _ step: inout OptimizerStep)
    throws(PlanError)
  {
    let low = try projected(spec).bytes
    step.free(names.gradient)
    try renew(spec, &step)
    names.gradient = low
    step.allocate(low)
    step.rebind(&names.denominator, to: low)
    step.rebind(&names.update, to: low)
    factor(spec, low, &names, &step)
    step.rebind(&names.scaled, to: spec.bytes)
    // The norm-growth limiter divides by a scalar of the last update's norm and this one's.
    let scalar = spec.dtype.size
    step.rebind(&names.norm, to: scalar)
    step.passing(TotalNorm.workspace(elements: spec.elements, on: step.kernels))
    step.rebind(&names.limiter, to: scalar)
    step.rebind(&names.scaled, to: spec.bytes)
    step.free(names.update)
    names.update = 0
  }

  /// Norms of the update over those of the projected gradient.
  private func factor(
    _ spec: TensorSpec, _ low: Int, _ names: inout Names, _ step: inout OptimizerStep
  ) {
    let norms = scaling == .channel ? max(spec.rows, spec.columns) : 1
    let bytes = norms &* spec.dtype.size
    step.allocate(bytes)
    step.allocate(bytes)
    step.allocate(bytes)
    step.free(bytes)
    step.rebind(&names.factor, to: bytes)
    step.free(bytes)
    step.free(bytes)
  }

  /// Draws a new projection in fp32, with a copy of the gradient in fp32 that nothing reads.
  private func renew(_ spec: TensorSpec, _ step: inout OptimizerStep) throws(PlanError) {
    let drawn = try matrix(spec).cast(to: .fp32).bytes
    let kept = try matrix(spec).bytes
    let wide = spec.dtype == .fp32 ? 0 : spec.cast(to: .fp32).bytes
    step.allocate(wide)
    step.allocate(drawn)
    step.allocate(drawn)
    step.free(drawn)
    if wide > 0 { step.allocate(kept) }
    step.free(drawn)
    if wide > 0 { step.free(kept) }
    step.free(wide)
  }
}

/// GaLore with 8-bit states: bitsandbytes' AdamW on gradients projected to a low rank.
///
/// Source: `AdamW8bit` in `galore_torch/adamw8bit.py`, galore-torch 1.0.
public struct GaLoreAdamW8bit: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "galore-adamw-8bit"
  /// See ``Optimizer/summary``.
  public static let summary =
    "AdamW with 8-bit states on gradients projected to a low rank (GaLore)."
  private let projection: LowRankProjection
  private let state = BlockwiseState(states: 2, quantized: true, paged: false)

  /// See ``Optimizer/keys``.
  public static let keys = LowRankProjection.keys

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    projection = try LowRankProjection(&settings)
  }

  /// See ``Optimizer/label``.
  public var label: String { "GaLore AdamW, rank \(projection.rank), 8-bit states" }
  /// One parameter after the other; gradients are clipped by PyTorch's default.
  public var implementation: OptimizerImplementation { .foreach }
  /// What the planner takes for granted about it.
  public var assumptions: [Assumption] {
    [projection.assumption, SingularVectors.assumption] + state.assumptions
  }

  /// The 8-bit states of a parameter that is not projected.
  ///
  /// galore-torch hands bitsandbytes 0.50 its percentile for clipping in the place of `max_unorm`, so that every
  /// parameter has a norm in fp32 beside its states.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    try state.tensors(of: parameter) + [TensorSpec(1, 1, .fp32)]
  }

  /// The 8-bit states in the subspace and the projection matrix.
  public func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec] {
    guard projection.applies(to: weight) else { return try states(of: weight.spec) }
    let vectors = SingularVectors(gradient: weight.spec, rank: projection.rank)
    return try states(of: vectors.projected) + [vectors.matrix]
  }

  /// The code tables.
  public func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] {
    try state.tables(of: parameters)
  }

  /// Yes: the copy that is kept while the kernel runs is the weight from then on.
  public var movesWeights: Bool { true }

  /// See ``Optimizer/check(_:)``.
  public func check(_ weights: [TrainedWeight]) throws(PlanError) { try projection.check(weights) }

  /// Each projected weight is copied, and stands for its own low-rank update while the kernel runs.
  ///
  /// Its gradient is replaced by the projected one, so that gradients shrink as the step goes on.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    var (_, projected) = projection.groups(step)
    var restored: [(weight: TrainingStep.Weight, low: Int)] = []
    for weight in projected.weights {
      let vectors = SingularVectors(gradient: weight.spec, rank: projection.rank)
      restored.append((weight, try vectors.projected.bytes))
    }
    try projected.forEachThrowing { (step, weight) throws(PlanError) in
      let vectors = SingularVectors(gradient: weight.spec, rank: projection.rank)
      let (full, low) = (weight.spec.bytes, try vectors.projected.bytes)
      try vectors.renew(&step)
      step.allocate(low)
      step.moveMemory(of: weight)
      step.allocate(low)
      step.leaveMemory(of: weight)
      step.freeGradient(of: weight)
      step.allocate(full)
      step.allocate(full)
      step.freeNewest(full)
      step.freeNewest(full)
      step.freeNewest(low)
    }
    // `zero_grad` drops the projected gradients; where layers stand for others, whoever keeps count of the full ones
    // finds them again.
    for (weight, low) in restored {
      projected.free(low, count: weight.count)
      guard weight.gradient < 0 else { continue }
      projected.schedule.allocate(
        weight.spec.bytes, count: weight.count, .gradients, projected.moment.rawValue)
    }
    step.schedule = projected.schedule
  }
}

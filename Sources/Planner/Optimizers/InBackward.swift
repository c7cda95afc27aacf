/// Another optimizer whose step runs in backward: each weight is updated as soon as its gradient is there.
///
/// No two gradients live at once beyond those that autograd needs. Every weight has an optimizer of its own, so what
/// `foreach` makes for all of them together it makes for one. Clipping needs all gradients, and accumulation keeps
/// them: both exclude it.
///
/// Source: `register_post_accumulate_grad_hook` in PyTorch 2.11; `optimizer_in_bwd` in torchtune's recipes.
public struct InBackward: Optimizer {
  /// Not a name in a scenario: the key `in_backward` of any optimizer stands for it.
  public static let name = "in_backward"
  /// See ``Optimizer/summary``.
  public static let summary = "Another optimizer, stepping in backward."
  /// The optimizer that each weight has.
  public let optimizer: any Optimizer

  /// Lets an optimizer step in backward.
  public init(_ optimizer: any Optimizer) { self.optimizer = optimizer }

  /// See ``Optimizer/keys``.
  public static let keys = AdamW.keys

  /// Reads AdamW's settings.
  public init(_ settings: inout Settings) throws(PlanError) { optimizer = try AdamW(&settings) }

  /// See ``Optimizer/label``.
  public var label: String { optimizer.label + " in backward" }
  /// See ``Optimizer/implementation``.
  public var implementation: OptimizerImplementation { optimizer.implementation }
  /// Yes.
  public var stepsInBackward: Bool { true }
  /// The optimizer's.
  public var assumptions: [Assumption] { optimizer.assumptions }

  /// The states of an optimizer for this weight alone, with what it would share with others.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    try optimizer.states(of: parameter) + optimizer.sharedStates(of: [parameter])
  }

  /// As ``states(of:)``, by name.
  public func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec] {
    try optimizer.states(of: weight) + optimizer.sharedStates(of: [weight.spec])
  }

  /// The optimizer's.
  public func check(_ weights: [TrainedWeight]) throws(PlanError) { try optimizer.check(weights) }

  /// The optimizer's.
  public func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    try optimizer.bytesMoved(for: weight)
  }

  /// The optimizer's.
  public func flops(for parameter: TensorSpec) -> Double { optimizer.flops(for: parameter) }

  /// The step of one weight.
  public func step(_ step: inout OptimizerStep) throws(PlanError) { try optimizer.step(&step) }
}

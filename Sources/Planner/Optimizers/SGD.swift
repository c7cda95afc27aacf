/// Stochastic gradient descent (`torch.optim.SGD`): with momentum one state like each parameter, else none.
///
/// Source: `_multi_tensor_sgd`, `_single_tensor_sgd` in `torch/optim/sgd.py`, PyTorch 2.11.
public struct SGD: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "sgd"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Stochastic gradient descent: one state per parameter with momentum, none without."
  /// How it runs over its parameters.
  public let implementation: OptimizerImplementation
  /// The momentum; zero keeps no state.
  public let momentum: Double
  /// L2 weight decay; zero makes no copy of the gradients.
  public let weightDecay: Double

  /// With a momentum.
  public init(
    _ implementation: OptimizerImplementation = .foreach, momentum: Double = 0,
    weightDecay: Double = 0
  ) {
    self.implementation = implementation
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// See ``Optimizer/keys``.
  public static let keys =
    AdamW.keys + [
      SettingKey("momentum", .number(0...1), default: 0, "any but 0 keeps one state per parameter"),
      SettingKey(
        "weight_decay", .number(0...1e6), default: 0, "any but 0 makes a copy of gradients"),
    ]

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    implementation = try settings.choice("implementation")
    momentum = try settings.number("momentum")
    weightDecay = try settings.number("weight_decay")
  }

  /// The same, parameter by parameter.
  var oneByOne: Self { Self(.forLoop, momentum: momentum, weightDecay: weightDecay) }

  /// See ``Optimizer/label``.
  public var label: String {
    "SGD (\(implementation.rawValue)\(momentum > 0 ? ", momentum" : ""))"
  }

  /// The momentum buffer.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    momentum > 0 ? [parameter] : []
  }

  /// Weight decay adds the weights to a copy of the gradients; without it nothing is made.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    guard weightDecay > 0 else { return }
    switch implementation {
    case .fused: break
    case .foreach: step.temporaryOfEach()
    case .forLoop:
      step.forEach { step, weight, previous in
        step.allocate(weight.spec.bytes)
        if let previous { step.free(previous.spec.bytes) }
      }
      if let last = step.weights.last { step.free(last.spec.bytes) }
    }
  }
}

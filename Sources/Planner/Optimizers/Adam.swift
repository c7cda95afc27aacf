/// Adam (`torch.optim.Adam`): AdamW's states; an L2 weight decay makes copies of the gradients.
///
/// Source: `_multi_tensor_adam`, `_single_tensor_adam`, `_fused_adam` in `torch/optim/adam.py`, PyTorch 2.11.
public struct Adam: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "adam"
  /// See ``Optimizer/summary``.
  public static let summary = "Adam: two states per parameter."
  /// How it runs over its parameters.
  public var implementation: OptimizerImplementation { decoupled.implementation }
  private let decoupled: AdamW
  private let weightDecay: Double

  /// See ``Optimizer/keys``.
  public static let keys =
    AdamW.keys + [
      SettingKey(
        "weight_decay", .number(0...1e6), default: 0, "any but 0 makes a copy of gradients")
    ]

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    decoupled = try AdamW(&settings)
    weightDecay = try settings.number("weight_decay")
  }

  private init(_ implementation: OptimizerImplementation, weightDecay: Double) {
    (decoupled, self.weightDecay) = (AdamW(implementation), weightDecay)
  }

  /// The same, parameter by parameter.
  var oneByOne: Self { Self(.forLoop, weightDecay: weightDecay) }

  /// See ``Optimizer/label``.
  public var label: String { "Adam (\(implementation.rawValue))" }

  /// The two moments.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    try decoupled.states(of: parameter)
  }

  /// As AdamW's; the decay of weights that `foreach` adds to the gradients moves three, AdamW's own two.
  public func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    guard implementation != .fused else { return try decoupled.bytesMoved(for: weight) }
    return (weightDecay > 0 ? 21 : 18) &* weight.spec.bytes
  }

  /// As AdamW's; with weight decay `foreach` makes the decayed gradients beside the square roots.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    guard weightDecay > 0, implementation == .foreach else { return try decoupled.step(&step) }
    step.temporaryOfEach(2)
  }
}

/// Adam with decoupled weight decay (`torch.optim.AdamW`): two states like each parameter.
///
/// Source: `_multi_tensor_adam`, `_single_tensor_adam`, `_fused_adam` in `torch/optim/adam.py`, PyTorch 2.11.
public struct AdamW: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "adamw"
  /// See ``Optimizer/summary``.
  public static let summary = "Adam with decoupled weight decay: two states per parameter."
  /// How it runs over its parameters.
  public let implementation: OptimizerImplementation

  /// With an implementation.
  public init(_ implementation: OptimizerImplementation = .foreach) {
    self.implementation = implementation
  }

  /// See ``Optimizer/keys``.
  public static let keys = [
    SettingKey(
      "implementation", .choice(of: OptimizerImplementation.self), default: "foreach",
      "PyTorch's default on a GPU, a loop (its default on a CPU), or one kernel")
  ]

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    implementation = try settings.choice("implementation")
  }

  /// See ``Optimizer/label``.
  public var label: String { "AdamW (\(implementation.rawValue))" }

  /// The two moments; the step counter lies on the host, with `fused` on the device.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    implementation == .fused
      ? [parameter, parameter, try TensorSpec(1, 1, .fp32)] : [parameter, parameter]
  }

  /// Without `fused`, operations over whole tensors: of the weight's size, `mul_` of the weights moves two,
  /// `lerp_` of the first moments three, `mul_` and `addcmul_` of the second five, `sqrt`, `div_` and `add_` six, and
  /// `addcdiv_` four.
  public func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    (implementation == .fused ? 7 : 20) &* weight.spec.bytes
  }

  /// `foreach` takes the square roots of all second moments together; `for-loop` makes a root and a denominator
  /// for each parameter, while the denominator before is still bound; `fused` needs nothing.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    switch implementation {
    case .fused: break
    case .foreach: step.temporaryOfEach()
    case .forLoop:
      step.forEach { step, weight, previous in
        step.allocate(weight.spec.bytes)
        step.allocate(weight.spec.bytes)
        if let previous { step.free(previous.spec.bytes) }
        step.free(weight.spec.bytes)
      }
      if let last = step.weights.last { step.free(last.spec.bytes) }
    }
  }
}

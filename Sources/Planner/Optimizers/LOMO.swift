/// LOMO: plain gradient descent whose step is fused into backward, without state.
///
/// Source: Lv et al. 2023, arXiv:2306.09782; without its gradient norm, which takes a second backward.
public struct LOMO: Optimizer {
  /// See ``Optimizer/name``.
  public static let name = "lomo"
  /// See ``Optimizer/summary``.
  public static let summary =
    "LOMO: gradient descent fused into backward; no state, no gradients kept."

  /// Takes no settings.
  public init(_ settings: inout Settings) throws(PlanError) {}

  /// See ``Optimizer/label``.
  public var label: String { "LOMO" }
  /// Nothing is stepped together.
  public var implementation: OptimizerImplementation { .forLoop }
  /// Yes.
  public var stepsInBackward: Bool { true }

  /// No state.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] { [] }

  /// The gradient is cast to fp32, and so is the weight, one at a time (`fuse_update`).
  public func step(_ step: inout OptimizerStep) throws(PlanError) {
    for weight in step.weights where weight.spec.dtype != .fp32 {
      let wide = weight.spec.cast(to: .fp32).bytes
      step.allocate(wide)
      step.passing(wide)
      step.free(wide)
    }
  }
}

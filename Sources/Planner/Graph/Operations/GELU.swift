/// The activations of plain two-matrix MLPs, by their names in `transformers`' `ACT2FN`.
enum Activation: String, CaseIterable, Sendable {
  case relu, gelu, silu
  case tanhGELU = "gelu_pytorch_tanh"
  case newGELU = "gelu_new"
  case fastGELU = "gelu_fast"
  case quickGELU = "quick_gelu"
}

/// Activations and what their backward needs.
extension Forward {
  /// Applies an activation as `transformers` writes it: one kernel, or several operations that each save something.
  ///
  /// Source: `activations.py`, transformers 5.17.
  mutating func activate(_ x: Value, _ activation: Activation) throws(PlanError) -> Value {
    switch activation {
    case .relu: relu(x)
    case .gelu, .tanhGELU: gelu(x)
    case .silu: silu(x)
    case .newGELU: try newGELU(x)
    case .fastGELU: try fastGELU(x)
    case .quickGELU: try quickGELU(x)
    }
  }

  /// `0.5 * x * (1 + tanh(√(2/π) * (x + 0.044715 * x³)))`, one operation after the other.
  private mutating func newGELU(_ x: Value) throws(PlanError) -> Value {
    enter("act", holding: x)
    let half = scale(x)
    // Autocast runs `pow` in fp32.
    let cube = square(context.autocast == nil ? x : cast(x, to: .fp32))
    let inner = scale(try add(x, scale(cube)))
    return leave(try multiply(half, addConstant(tanh(inner))))
  }

  /// `0.5 * x * (1 + tanh(x * 0.79788 * (1 + 0.044715 * x * x)))`.
  private mutating func fastGELU(_ x: Value) throws(PlanError) -> Value {
    enter("act", holding: x)
    let half = scale(x)
    let outer = scale(x)
    let inner = addConstant(try multiply(scale(x), x))
    return leave(try multiply(half, addConstant(tanh(try multiply(outer, inner)))))
  }

  /// `x * sigmoid(1.702 * x)`.
  private mutating func quickGELU(_ x: Value) throws(PlanError) -> Value {
    enter("act", holding: x)
    return leave(try multiply(x, sigmoid(scale(x))))
  }
}

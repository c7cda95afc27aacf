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

  /// BLOOM's GELU: a function of its own with a backward of its own, both written out in elementwise operations.
  ///
  /// Source: `bloom_gelu_forward` and `bloom_gelu_back` in `modeling_bloom.py`, transformers 5.17.
  mutating func bloomGELU(_ x: Value) throws(PlanError) -> Value {
    let x = local(x)
    func temporary(_ f: inout Forward) -> Value { f.plain("mul", x.spec, role: .activations) }
    let half = temporary(&self)
    let outer = temporary(&self)
    let inner = temporary(&self)
    let squared = temporary(&self)
    discard(inner)
    let one = temporary(&self)
    discard(squared)
    let argument = temporary(&self)
    discard(outer)
    discard(one)
    let tanh = temporary(&self)
    discard(argument)
    let sum = temporary(&self)
    discard(tanh)
    begin("GeLUFunction", x)
    save(x, for: 1)
    work(flops: 0, bytes: 18 * x.spec.bytes, dtype: x.spec.dtype)
    bloomGELUBackward(x.spec)
    let output = end(x.spec)
    discard(half)
    discard(sum)
    forget(x)
    return output
  }

  /// Allocations of `bloom_gelu_back`, numbered; the saved input lives until the function returns.
  private mutating func bloomGELUBackward(_ spec: TensorSpec) {
    let bytes = spec.bytes
    // tanh(0.79788 * x * (1 + 0.044715 * x * x)) is number 5.
    temporary(0, bytes)
    temporary(1, bytes)
    temporary(2, bytes)
    free(1)
    temporary(3, bytes)
    free(2)
    temporary(4, bytes)
    free(0)
    free(3)
    temporary(5, bytes)
    free(4)
    // 0.5 * x * ((1 - tanh²) * (0.79788 + 0.10703 * x * x)) is number 10.
    temporary(6, bytes)
    temporary(0, bytes)
    temporary(1, bytes)
    free(0)
    temporary(2, bytes)
    temporary(3, bytes)
    free(2)
    temporary(4, bytes)
    free(3)
    temporary(7, bytes)
    free(1)
    free(4)
    temporary(10, bytes)
    free(6)
    free(7)
    // 0.5 * (1 + tanh) is number 1, the derivative number 2.
    temporary(0, bytes)
    temporary(1, bytes)
    free(0)
    temporary(2, bytes)
    free(10)
    free(1)
    gradient(0, spec)
    free(5)
    free(2)
  }
}

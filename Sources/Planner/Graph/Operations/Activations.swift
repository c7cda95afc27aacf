/// Nonlinear functions of one element, and their backward rules.
extension Forward {
  /// `silu(a)`; saves its input.
  mutating func silu(_ a: Value) -> Value { activation("silu", a) }

  /// `gelu(a)`, exact or with PyTorch's own tanh approximation; saves its input.
  mutating func gelu(_ a: Value) -> Value { activation("gelu", a) }

  /// `tanh(a)`; saves its result.
  mutating func tanh(_ a: Value) -> Value { saturation("tanh", a) }

  /// `sigmoid(a)`; saves its result.
  mutating func sigmoid(_ a: Value) -> Value { saturation("sigmoid", a) }

  /// `relu(a)`; saves its result.
  mutating func relu(_ a: Value) -> Value { saturation("relu", a) }

  /// `tanh(a / cap) * cap`, one new tensor each; the name that holds `a` is bound to each in turn.
  mutating func softCap(_ a: Value) -> Value {
    let divided = local(scale(a, as: "div"), replacing: a)
    let bounded = local(tanh(divided), replacing: divided)
    return local(scale(bounded), replacing: bounded)
  }

  /// `a.clamp_(min, max)`: in place, after a copy of `a` that it saves; backward selects by two comparisons.
  mutating func clampInPlace(_ a: Value) -> Value {
    begin("clamp_", a)
    let copy = register(a.spec)
    let truth = a.spec.cast(to: DType.bool).bytes
    work(flops: 0, bytes: 4 * a.spec.bytes, dtype: a.spec.dtype)
    temporary(0, truth)
    temporary(1, truth)
    free(1)
    gradient(0, a.spec)
    free(0)
    record()
    allocate(copy)
    let output = register(a.spec)
    emit(Instruction(code: .alias, a: output.register, b: a.register))
    link(output, saving: 0, and: [copy])
    return output
  }

  private mutating func activation(_ name: StaticString, _ a: Value) -> Value {
    begin(name, a)
    save(a, for: 1)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec)
  }

  private mutating func saturation(_ name: StaticString, _ a: Value) -> Value {
    begin(name, a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec, saving: 1)
  }
}

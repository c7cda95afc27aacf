/// Operations on one element at a time, and their backward rules.
extension Forward {
  /// `a * b`; one of them may be broadcast over the rows (`[columns]`), the columns (`[rows, 1]`) or both.
  ///
  /// Each operand is saved for the other's gradient. The gradient of `b` is made first, both at full size;
  /// validation then sums a broadcast one down.
  mutating func multiply(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    let full = Self.broadcast(a.spec, b.spec)
    begin("mul", a, b)
    // Autograd saves what an operator names in the order of the names: `other`, `self`.
    save(b, for: 0b01)
    save(a, for: 0b10)
    work(flops: 0, bytes: a.spec.bytes + b.spec.bytes + full.bytes, dtype: full.dtype)
    gradient(1, full)
    gradient(0, full)
    settle()
    fit(0, a.spec, from: full)
    fit(1, b.spec, from: full)
    return end(full)
  }

  /// `a + b` at equal shapes, or with `b` broadcast; saves nothing, hands its gradient to both.
  mutating func add(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    let full = Self.broadcast(a.spec, b.spec)
    begin("add", a, b)
    work(flops: 0, bytes: a.spec.bytes + b.spec.bytes + full.bytes, dtype: full.dtype)
    pass(0)
    pass(1)
    settle()
    fit(0, a.spec, from: full)
    fit(1, b.spec, from: full)
    return end(full)
  }

  /// `a - b` with `b` broadcast over the rows; the gradient of a trained `b` is a new tensor.
  mutating func subtract(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    let full = Self.broadcast(a.spec, b.spec)
    begin("sub", a, b)
    work(flops: 0, bytes: a.spec.bytes + b.spec.bytes + full.bytes, dtype: full.dtype)
    pass(0)
    gradient(1, full)
    settle()
    fit(0, a.spec, from: full)
    fit(1, b.spec, from: full)
    return end(full)
  }

  /// `a / b` of equal shapes, `b` a constant that is saved.
  mutating func divide(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    begin("div", a, b)
    save(b, for: 0b01)
    work(flops: 0, bytes: 3 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec, role: .gradients)
    return end(a.spec)
  }

  /// `a * table` in complex numbers, the table without a gradient; backward makes its conjugate first.
  mutating func multiplyComplex(_ a: Value, by table: Value) -> Value {
    begin("mul", a, table)
    save(table, for: 1)
    work(flops: 0, bytes: 2 * a.spec.bytes + table.spec.bytes, dtype: a.spec.dtype)
    temporary(0, table.spec.bytes)
    gradient(0, a.spec)
    free(0)
    return end(a.spec)
  }

  /// `a + constant`: a new tensor whose gradient is passed on.
  mutating func addConstant(_ a: Value) -> Value {
    begin("add", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    pass(0)
    return end(a.spec)
  }

  /// `sum += a`: in place, hands its gradient to both.
  mutating func addInPlace(_ a: Value, to sum: Value) -> Value {
    begin("add_", sum, a)
    pass(0)
    pass(1)
    return endView(sum.spec, of: sum)
  }

  /// `a / count` by a tensor without a gradient, which is saved.
  mutating func divide(_ a: Value, byCount count: Value) -> Value {
    begin("div", a)
    save(count, for: 1)
    gradient(0, a.spec)
    return end(a.spec, role: .other)
  }

  /// `a * constant`, or `a / constant` as `div`.
  mutating func scale(_ a: Value, as name: StaticString = "mul") -> Value {
    begin(name, a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec)
  }

  /// `a += b`, with `b` as large as `a` or broadcast: the same memory; hands its gradient to both.
  mutating func addInPlace(_ a: Value, _ b: Value) -> Value {
    begin("add_", a, b)
    work(flops: 0, bytes: 3 * a.spec.bytes, dtype: a.spec.dtype)
    pass(0)
    pass(1)
    settle()
    fit(1, b.spec, from: a.spec)
    return endView(a.spec, of: a)
  }

  /// `a /= constant`: the same memory; backward makes a new gradient.
  mutating func divideInPlace(_ a: Value) -> Value {
    begin("div_", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return endView(a.spec, of: a)
  }

  /// `torch.where(truth, a, constant)` with a constant that lies on the device as a scalar; saves `truth`.
  mutating func select(_ a: Value, where truth: Value) -> Value {
    let scalar = a.spec.scalar
    let constant = plain("scalar_tensor", scalar)
    begin("where", a)
    save(truth, for: 1)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    temporary(0, scalar.bytes, role: .other)
    gradient(0, a.spec)
    free(0)
    let output = end(a.spec)
    discard(constant)
    return output
  }

  /// `-a`.
  mutating func negate(_ a: Value) -> Value {
    begin("neg", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec)
  }

  /// `a.pow(2)`; saves its input; backward makes `a.pow(1)`, twice that, and the product with the gradient.
  mutating func square(_ a: Value) -> Value {
    begin("pow", a)
    save(a, for: 1)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    temporary(0, a.spec.bytes)
    temporary(1, a.spec.bytes)
    gradient(0, a.spec)
    free(0)
    free(1)
    return end(a.spec)
  }

  /// `a.mean(-1, keepdim=True)`; backward divides the expanded gradient into a full tensor.
  mutating func meanOfRows(_ a: Value) -> Value {
    begin("mean", a)
    work(flops: 0, bytes: a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec.perRow)
  }

  /// `torch.rsqrt(a)`; saves its result.
  mutating func reciprocalRoot(_ a: Value) -> Value {
    begin("rsqrt", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    temporary(0, a.spec.bytes)
    temporary(1, a.spec.bytes)
    gradient(0, a.spec)
    free(0)
    free(1)
    return end(a.spec, saving: 1)
  }

  /// `a.to(dtype)`: the same tensor where it has that format already, else a copy.
  ///
  /// - Parameter role: What the gradient of `a` is for: of a weight it is `gradients`.
  mutating func cast(_ a: Value, to dtype: DType, role: Role = .activations) -> Value {
    if a.spec.dtype == dtype { return a }
    begin("to", a)
    work(
      flops: 0, bytes: a.spec.bytes + a.spec.cast(to: dtype).bytes, dtype: dtype)
    gradient(0, a.spec, role: role)
    return end(a.spec.cast(to: dtype))
  }

  /// `dropout(a, p)` with p > 0: the fused kernel saves a mask of one byte an element.
  ///
  /// Processors have none: they multiply by a mask in the format of `a` (`_dropout_impl` in
  /// `aten/src/ATen/native/Dropout.cpp`).
  mutating func dropout(_ a: Value) -> Value {
    begin("native_dropout", a)
    let output = register(a.spec)
    let mask = register(context.kernels.isProcessor ? a.spec : a.spec.cast(to: .bool))
    work(flops: 0, bytes: 2 * a.spec.bytes + mask.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    record()
    allocate(mask)
    allocate(output)
    link(output, saving: 0, and: [mask])
    return output
  }

  /// The shape of `a` and `b` together, and PyTorch's common format.
  private static func broadcast(_ a: TensorSpec, _ b: TensorSpec) -> TensorSpec {
    let larger = a.elements >= b.elements ? a : b
    return larger.cast(to: a.dtype.promoted(with: b.dtype))
  }

  /// What validation does to the gradient of an operand that was broadcast or promoted.
  private mutating func fit(_ index: UInt8, _ spec: TensorSpec, from full: TensorSpec) {
    let overRows = spec.columns == full.columns && spec.rows == 1 && full.rows > 1
    if spec.elements < full.elements {
      let workspace =
        overRows
        ? ColumnSum.workspace(rows: full.rows, columns: full.columns, on: context.kernels) : 0
      reduce(
        index, to: spec.cast(to: full.dtype), workspace: workspace,
        role: overRows ? .gradients : .activations)
    }
    if spec.dtype != full.dtype {
      convert(index, to: spec, role: overRows ? .gradients : .activations)
    }
  }
}

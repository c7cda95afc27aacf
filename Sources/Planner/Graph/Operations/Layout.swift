/// Operations that change the shape or the layout of a tensor.
extension Forward {
  /// `a.view(…).transpose(…)` ahead of attention: no memory forward; backward copies the gradient into rows.
  ///
  /// - Parameter copies: Whether the gradient arrives transposed, so that reshaping it must copy.
  mutating func heads(_ a: Value, width: Int, copies: Bool) throws(PlanError) -> Value {
    let spec = try a.spec.reshaped(columns: width)
    begin("view", a)
    if copies { gradient(0, a.spec, view: true) } else { pass(0, view: true) }
    return endView(spec, of: a)
  }

  /// `a.reshape(…)` of contiguous memory: another name of it, forward and backward.
  mutating func view(_ a: Value, columns: Int) throws(PlanError) -> Value {
    begin("view", a)
    pass(0, view: true)
    return endView(try a.spec.reshaped(columns: columns), of: a)
  }

  /// `a.clone()`: a copy forward; backward hands the gradient on.
  mutating func clone(_ a: Value) -> Value {
    begin("clone", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    pass(0)
    return end(a.spec)
  }

  /// `a.contiguous()` of a transposed tensor: a copy forward, a view backward.
  mutating func contiguous(_ a: Value, columns: Int) throws(PlanError) -> Value {
    begin("contiguous", a)
    let spec = try a.spec.reshaped(columns: columns)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    pass(0, view: true)
    return end(spec)
  }

  /// `a[..., i:j]`: a view forward; backward writes the gradient into zeros of the full size.
  ///
  /// All of a row is another name of the tensor, forward and backward.
  mutating func slice(_ a: Value, columns: Int) throws(PlanError) -> Value {
    if columns == a.spec.columns {
      begin("alias", a)
      pass(0)
      return endView(a.spec, of: a)
    }
    begin("slice", a)
    gradient(0, a.spec)
    return endView(try TensorSpec(a.spec.rows, columns, a.spec.dtype), of: a)
  }

  /// `a[:, i:j]`: some of the rows, a view; backward writes the gradient into zeros of the full size.
  mutating func slice(_ a: Value, rows: Int) throws(PlanError) -> Value {
    begin("slice", a)
    gradient(0, a.spec)
    return endView(try TensorSpec(rows, a.spec.columns, a.spec.dtype), of: a)
  }

  /// `a.chunk(2, dim=-1)`: two views forward; backward joins both gradients in a new tensor.
  mutating func halves(_ a: Value) throws(PlanError) -> (Value, Value) {
    let half = try TensorSpec(a.spec.rows, a.spec.columns / 2, a.spec.dtype)
    begin("split", a)
    gradient(0, a.spec)
    return endViews(half, half, of: a)
  }

  /// `torch.split(a, (first, rest), dim=-1)`: two views forward; backward joins both gradients in a new tensor.
  mutating func parts(_ a: Value, first: Int) throws(PlanError) -> (Value, Value) {
    let (rows, dtype) = (a.spec.rows, a.spec.dtype)
    begin("split", a)
    gradient(0, a.spec)
    return endViews(
      try TensorSpec(rows, first, dtype), try TensorSpec(rows, a.spec.columns - first, dtype), of: a
    )
  }

  /// `base[..., i:j].copy_(part)`: in place; backward copies the gradient of `base` and that of the part.
  ///
  /// - Parameter isFirst: Whether `base` has no gradient yet: the copy of its gradient is then dropped.
  ///
  /// Source: `CopySlices::apply` in PyTorch's `torch/csrc/autograd/functions/tensor.cpp`.
  mutating func fill(_ base: Value, with part: Value, isFirst: Bool) -> Value {
    begin("copy_", base, part)
    work(flops: 0, bytes: 2 * part.spec.bytes, dtype: part.spec.dtype)
    if isFirst {
      temporary(0, base.spec.bytes)
      gradient(1, part.spec)
      free(0)
    } else {
      gradient(0, base.spec)
      gradient(1, part.spec, always: true)
      temporary(0, part.spec.bytes)
      free(0)
    }
    return endView(base.spec, of: base)
  }

  /// `pad(a, (0, n))`: a wider copy; backward copies the part that was there.
  mutating func pad(_ a: Value, columns: Int) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.rows, columns, a.spec.dtype)
    begin("constant_pad_nd", a)
    work(flops: 0, bytes: a.spec.bytes + spec.bytes, dtype: spec.dtype)
    gradient(0, a.spec)
    return end(spec)
  }

  /// `torch.cat((a, b), dim=-1)`; backward hands views of the gradient to both.
  mutating func concatenate(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.rows, a.spec.columns + b.spec.columns, a.spec.dtype)
    begin("cat", a, b)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    pass(0, view: true)
    pass(1, view: true)
    return end(spec)
  }

  /// `torch.cat((a, b), dim=1)` in the wider of their formats; backward hands views to both, cast where they differ.
  mutating func concatenateRows(_ a: Value, _ b: Value) throws(PlanError) -> Value {
    let dtype = a.spec.dtype.promoted(with: b.spec.dtype)
    let spec = try TensorSpec(a.spec.rows + b.spec.rows, a.spec.columns, dtype)
    begin("cat", a, b)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    if a.spec.dtype == dtype { pass(0, view: true) } else { gradient(0, a.spec) }
    if b.spec.dtype == dtype { pass(1, view: true) } else { gradient(1, b.spec) }
    return end(spec)
  }

  /// `a.expand(…)` over the batch: no memory forward; backward sums, except over a batch of one.
  mutating func expand(_ a: Value, times: Int) throws(PlanError) -> Value {
    if times == 1 { return a }
    begin("expand", a)
    pass(0)
    reduce(0, to: a.spec, role: .activations)
    return endView(
      try TensorSpec(try checkedProduct(a.spec.rows, times), a.spec.columns, a.spec.dtype), of: a)
  }

  /// `a.permute(…)`: another name of the memory in which rows and columns mean something else.
  mutating func permute(_ a: Value, columns: Int) throws(PlanError) -> Value {
    begin("permute", a)
    pass(0, view: true)
    return endView(try a.spec.reshaped(columns: columns), of: a)
  }

  /// A weight of one row expanded over the batch: no memory forward; backward sums, except over a batch of one.
  mutating func expandRow(_ weight: Parameter, rows: Int) throws(PlanError) -> Value {
    let spec = weight.value.spec
    begin("expand", weight.value)
    pass(0)
    if rows > 1 {
      reduce(
        0, to: spec,
        workspace: ColumnSum.workspace(rows: rows, columns: spec.columns, on: context.kernels),
        role: .gradients)
    }
    return endView(try TensorSpec(rows, spec.columns, spec.dtype), of: weight.value)
  }

  /// A weight whose gradient something else holds too when it arrives: `.grad` gets a copy.
  mutating func copyingGradient(_ weight: Parameter) -> Value {
    begin("accumulate", weight.value)
    gradient(0, weight.value.spec, role: .gradients)
    return endView(weight.value.spec, of: weight.value)
  }

  /// `a[:, 0]`: the first of each batch's rows, a view; backward writes the gradient into zeros of the full size.
  mutating func firstRows(_ a: Value, batch: Int) throws(PlanError) -> Value {
    begin("select", a)
    gradient(0, a.spec)
    return endView(try TensorSpec(batch, a.spec.columns, a.spec.dtype), of: a)
  }

  /// Key or value heads repeated to the number of query heads; backward sums them again.
  ///
  /// - Parameter copies: Whether the result has memory of its own, as `repeat_kv` has of more than one head.
  mutating func repeatHeads(_ a: Value, times: Int, copies: Bool = true) throws(PlanError) -> Value
  {
    if times == 1 { return a }
    let spec = try TensorSpec(
      try checkedProduct(a.spec.rows, times), a.spec.columns, a.spec.dtype)
    begin("repeat_kv", a)
    gradient(0, a.spec)
    guard copies else { return endView(spec, of: a) }
    work(flops: 0, bytes: a.spec.bytes + spec.bytes, dtype: spec.dtype)
    return end(spec)
  }

  /// `a.split((q, k, v), dim=-1)` or `a.chunk(3, dim=-1)`: views forward; backward concatenates their gradients.
  mutating func split(_ a: Value, _ q: Int, _ k: Int, _ v: Int) throws(PlanError) -> (
    Value, Value, Value
  ) {
    begin("split", a)
    gradient(0, a.spec)
    let (rows, dtype) = (a.spec.rows, a.spec.dtype)
    return endViews(
      try TensorSpec(rows, q, dtype), try TensorSpec(rows, k, dtype),
      try TensorSpec(rows, v, dtype), of: a)
  }

  /// `a[..., [i], :]`: a copy of `columns` elements a row, by an index that is saved; backward writes into zeros.
  ///
  /// `index_put` is not done in place there: the zeros are copied first.
  mutating func pick(_ a: Value, columns: Int) throws(PlanError) -> Value {
    let index = plain("index", try TensorSpec(1, 1, .int64))
    begin("index", a)
    let output = register(try TensorSpec(a.spec.rows, columns, a.spec.dtype))
    work(flops: 0, bytes: 2 * output.spec.bytes, dtype: a.spec.dtype)
    temporary(0, a.spec.bytes)
    gradient(0, a.spec)
    free(0)
    record()
    allocate(output)
    link(output, and: index)
    return output
  }
}

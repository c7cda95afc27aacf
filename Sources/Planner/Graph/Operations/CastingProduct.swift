/// DeepSpeed's linear layer under autocast, which casts what it multiplies itself.
extension Forward {
  /// Computes `x Wᵀ + b` of tensors that autocast casts inside the function, forward and again in backward.
  ///
  /// What it saves is its arguments as they came, once it ran. Backward runs in an autocast region of its own, which keeps
  /// the cast of a trained weight until its end; the validation of its results then casts gradients to the formats of
  /// their tensors. The bias is added in place, except to a matrix, and autocast sums its gradient in fp32.
  ///
  /// Source: `LinearFunctionForZeroStage3` in `deepspeed/runtime/zero/linear.py`, DeepSpeed 0.19.8; `cached_cast` in
  /// `aten/src/ATen/autocast_mode.cpp`.
  mutating func castingProduct(
    _ x: Value, _ weight: Parameter, bias: Parameter?, module: StaticString?, takesMatrix: Bool
  ) throws(PlanError) -> Value {
    let autocast = context.autocast ?? x.spec.dtype
    func narrow(_ spec: TensorSpec) -> TensorSpec {
      spec.dtype == .fp32 ? spec.cast(to: autocast) : spec
    }
    let w = weight.value
    let (input, weightCast) = (narrow(x.spec), narrow(w.spec))
    let spec = try TensorSpec(x.spec.rows, w.spec.rows, input.dtype)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, w.spec.rows)
    begin(bias == nil ? "mm" : "addmm", module: module, x, w, bias?.value)
    let casts = (input == x.spec, weightCast == w.spec)
    work(
      flops: flops, bytes: input.bytes + weightCast.bytes + spec.bytes, dtype: spec.dtype,
      alsoMoving: (casts.0 ? 0 : x.spec.bytes + input.bytes)
        + (casts.1 ? 0 : w.spec.bytes + weightCast.bytes))

    if !casts.1 { temporary(0, weightCast.bytes, for: 0b01) }
    gradient(0, input, view: true, flops: flops)
    if !casts.1, !weight.trainable { free(0, for: 0b01) }
    if !casts.0 { temporary(1, input.bytes, for: 0b10) }
    gradient(1, weightCast, view: true, role: .gradients, flops: flops)
    if !casts.0 { free(1, for: 0b10) }
    if let bias {
      let workspace = ColumnSum.workspace(
        rows: spec.rows, columns: spec.columns, on: context.kernels)
      gradient(2, bias.value.spec.cast(to: .fp32), role: .gradients)
      temporary(2, workspace, for: 0b100, role: .workspace)
      free(2, for: 0b100)
    }
    if !casts.1, weight.trainable { free(0, for: 0b01) }
    settle()
    if !casts.0 { convert(0, to: x.spec) }
    if !casts.1 { convert(1, to: w.spec, role: .gradients) }
    if let bias, bias.value.spec.dtype != .fp32 {
      convert(2, to: bias.value.spec, role: .gradients)
    }

    let output = register(spec)
    record()
    var copies: [Value] = []
    if !casts.1 { copies.append(register(weightCast)) }
    if !casts.0 { copies.append(register(input)) }
    if takesMatrix, let bias, bias.value.spec.dtype == .fp32 {
      copies.append(register(narrow(bias.value.spec)))
    }
    for copy in copies { allocate(copy) }
    // Of its casts autocast keeps the bias alone: the weight is a view, and the input was computed.
    if takesMatrix, let bias, bias.value.spec.dtype == .fp32, bias.trainable, let copy = copies.last
    {
      cache(copy)
    }
    allocate(output)
    for copy in copies { discard(copy) }
    link(output, keeping: [x, w] + (bias.map { [$0.value] } ?? []), and: nil)
    return output
  }
}

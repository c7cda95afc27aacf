/// Softmax and its relatives.
extension Forward {
  /// `softmax(a, dim=-1, dtype=float32)` or in another format, cast to `dtype` as attention does; saves its own result.
  ///
  /// fp16 is read by the kernel itself, bf16 is cast first. Source: `softmax` in PyTorch's `aten/src/ATen/native/SoftMax.cpp`.
  mutating func softmax(_ a: Value, in format: DType = .fp32, to dtype: DType) -> Value {
    let input = a.spec.dtype == .fp16 && format == .fp32 ? a : cast(a, to: format)
    let wide = input.spec.cast(to: format)
    begin("_softmax", input)
    work(flops: 0, bytes: 2 * wide.bytes, dtype: format)
    gradient(0, input.spec)
    if !context.kernels.isProcessor {
      temporary(0, wide.bytes)
      free(0)
    }
    return cast(end(wide, saving: 1), to: dtype)
  }

  /// `_safe_softmax(a, dim=-1)` in fp32: rows that are masked throughout are found and zeroed.
  mutating func safeSoftmax(_ a: Value) -> Value {
    begin("_safe_softmax", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: .fp32)
    gradient(0, a.spec)
    temporary(0, a.spec.bytes)
    free(0)
    let output = end(a.spec, saving: 1)
    let masked = plain("eq", a.spec.cast(to: .bool), role: .activations)
    let rows = plain("all", a.spec.cast(to: .bool).perRow, role: .activations)
    discard(plain("scalar_tensor", a.spec.scalar, role: .other))
    discard(rows)
    discard(masked)
    return output
  }

  /// `log_softmax(a, dim=-1)`; saves its result.
  mutating func logSoftmax(_ a: Value) -> Value {
    begin("_log_softmax", a)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return end(a.spec, saving: 1)
  }

  /// `nll_loss(logProbabilities, labels)`: a scalar; saves the labels and the scalar total weight.
  ///
  /// Labels that are a view of the batch cost nothing: `nil`.
  /// The log-probabilities are saved as well, which costs nothing: log-softmax saved them.
  mutating func negativeLogLikelihood(_ logProbabilities: Value, labels: Value?)
    throws(PlanError) -> Value
  {
    begin("nll_loss", logProbabilities)
    save(logProbabilities, for: 1)
    // Of one sequence the labels are a view of what was padded.
    if let labels { save(labels, for: 1, bytes: 8 &* logProbabilities.spec.rows) }
    work(flops: 0, bytes: logProbabilities.spec.rows * 16, dtype: .fp32)
    gradient(0, logProbabilities.spec)
    let loss = register(try TensorSpec(1, 1, logProbabilities.spec.dtype))
    let weight = register(loss.spec)
    record()
    allocate(loss, role: .other)
    allocate(weight, role: .other)
    link(loss, saving: 0, and: [weight])
    if let labels { discard(labels) }
    return loss
  }
}

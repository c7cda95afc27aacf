/// Softmax and its relatives.
extension Forward {
  /// `softmax(a, dim=-1)` in fp32 or another format, cast to `dtype` as attention does; saves its own result.
  mutating func softmax(_ a: Value, in format: DType = .fp32, to dtype: DType) -> Value {
    let wide = cast(a, to: format)
    begin("_softmax", wide)
    work(flops: 0, bytes: 2 * wide.spec.bytes, dtype: format)
    gradient(0, wide.spec)
    temporary(0, wide.spec.bytes)
    free(0)
    return cast(end(wide.spec, saving: 1), to: dtype)
  }

  /// `_safe_softmax(a, dim=-1)` in fp32, cast to `dtype`: looks for rows that are masked all over.
  ///
  /// Source: `_safe_softmax` in PyTorch's `aten/src/ATen/native/transformers/attention.cpp`.
  mutating func safeSoftmax(_ a: Value, to dtype: DType) throws(PlanError) -> Value {
    enter("softmax", holding: a)
    let weights = local(softmax(a, to: .fp32))
    let masked = plain("eq", a.spec.cast(to: .bool), role: .activations)
    let rows = plain("all", a.spec.perRow.cast(to: .bool), role: .activations)
    let zero = plain("scalar_tensor", try TensorSpec(1, 1, .fp32))
    discard(zero)
    discard(rows)
    discard(masked)
    return cast(leave(weights), to: dtype)
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
  /// The log-probabilities are saved as well, which costs nothing: log-softmax saved them.
  mutating func negativeLogLikelihood(_ logProbabilities: Value, labels: Value) throws(PlanError)
    -> Value
  {
    begin("nll_loss", logProbabilities)
    save(logProbabilities, for: 1)
    save(labels, for: 1)
    work(flops: 0, bytes: logProbabilities.spec.rows * 16, dtype: .fp32)
    gradient(0, logProbabilities.spec)
    let loss = register(try TensorSpec(1, 1, logProbabilities.spec.dtype))
    let weight = register(loss.spec)
    record()
    allocate(loss, role: .other)
    allocate(weight, role: .other)
    link(loss, saving: 0, and: [weight])
    discard(labels)
    return loss
  }
}

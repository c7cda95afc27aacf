/// Cross-entropy over logits that are cut along the vocabulary (`loss_parallel`).
///
/// Source: `torch/distributed/tensor/parallel/loss.py`, PyTorch 2.11; allocator traces of it.
extension Forward {
  private func sum(_ rows: TensorSpec, times: Int) -> Exchange {
    Exchange(
      collective: .allReduce, payload: rows.bytes &* times, ranks: context.mesh.tensor)
  }

  /// `log_softmax(a, dim=-1)`: all-reduces the maximum and the sum of each row; saves its result.
  ///
  /// Its backward is part of that of ``cutNegativeLogLikelihood(_:labels:)``.
  mutating func cutLogSoftmax(_ a: Value) throws(PlanError) -> Value {
    let row = a.spec.perRow
    begin("_log_softmax", a)
    work(flops: 0, bytes: 5 * a.spec.bytes, dtype: a.spec.dtype)
    exchange(sum(row, times: 2), backward: nil)
    pass(0)
    record()
    func made(_ spec: TensorSpec, _ f: inout Forward) -> Value {
      let value = f.register(spec)
      f.allocate(value)
      return value
    }
    let localMaximum = made(row, &self)
    let maximum = made(row, &self)
    release(localMaximum.register)
    let shifted = made(a.spec, &self)
    let exponentials = made(a.spec, &self)
    let localSum = made(row, &self)
    release(exponentials.register)
    let total = made(row, &self)
    release(localSum.register)
    let logarithm = made(row, &self)
    let output = made(a.spec, &self)
    for value in [shifted, maximum, total, logarithm] { release(value.register) }
    link(output, saving: 1)
    return output
  }

  /// `nll_loss(logProbabilities, labels)` over a part of the vocabulary: a scalar.
  ///
  /// Backward makes zeros with −1 at the labels, the exponentials of what log-softmax saved, and two products: three
  /// tensors of the logits' size at once. Index and mask tensors take 33 bytes a row at most, forward and backward.
  mutating func cutNegativeLogLikelihood(_ logProbabilities: Value, labels: Value)
    throws(PlanError) -> Value
  {
    let spec = logProbabilities.spec
    let indices = try checkedProduct(33, spec.rows)
    begin("nll_loss", logProbabilities)
    exchange(sum(spec.perRow, times: 1), backward: nil)
    save(logProbabilities, for: 1)
    save(labels, for: 1, bytes: 8 &* spec.rows)
    work(flops: 0, bytes: spec.rows * 16, dtype: .fp32)
    temporary(0, indices, role: .other)
    temporary(1, spec.bytes)
    temporary(2, spec.bytes)
    temporary(3, spec.bytes)
    free(2)
    gradient(0, spec)
    for index in [3, 0, 1] as [UInt8] { free(index) }
    let loss = register(try TensorSpec(1, 1, spec.dtype))
    let weight = register(loss.spec)
    let temporaries = register(try TensorSpec(indices, 1, .bool))
    record()
    allocate(temporaries, role: .other)
    allocate(weight, role: .other)
    allocate(loss, role: .other)
    release(temporaries.register)
    link(loss, saving: 0, and: [weight])
    discard(labels)
    return loss
  }
}

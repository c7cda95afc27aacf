/// The token embedding.
extension Forward {
  /// `embedding(ids, weight)`: `[rows, columns]`; saves the ids; those of the batch are held by the training loop anyway.
  ///
  /// Above 3,072 ids the backward sorts them and sums their gradients in fp32 partial segments:
  /// ⌊N/10⌋ + min(N, V) rows of them, with index buffers.
  ///
  /// - Parameter whole: Rows of the whole table where devices share it: its gradient has all of them.
  ///
  /// - Parameter expanded: Whether `ids` are one row for the whole batch, which forward and backward write out.
  ///
  /// - Parameter permuted: Whether the gradient arrives in another layout than rows, so that backward copies it first.
  ///
  /// Source: `embedding_backward_cuda_kernel` in PyTorch's `aten/src/ATen/native/cuda/EmbeddingBackwardKernel.cu`.
  mutating func embedding(
    rows n: Int, _ weight: Parameter, module: StaticString = "embed_tokens", at ids: Value? = nil,
    expanded: Bool = false, permuted: Bool = false, whole: Int? = nil
  ) throws(PlanError) -> Value {
    let part = weight.value.spec
    let table = try TensorSpec(whole ?? part.rows, part.columns, part.dtype)
    markTable(weight)
    let spec = try TensorSpec(n, table.columns, table.dtype)
    let row = expanded ? plain("index", try TensorSpec(n, 1, .int64)) : nil
    begin("embedding", module: module, weight.value)
    if let ids { save(ids, for: 1) } else { saveHeld(8 &* n, for: 1) }
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    if permuted { temporary(9, spec.bytes) }
    if expanded { temporary(8, 8 &* n, role: .workspace) }
    if n <= 3072 || context.kernels.isProcessor {
      gradient(0, table, role: .gradients)
    } else {
      let ids = 8 &* n
      let segments = n / 10 + min(n, table.rows)
      let partial = try TensorSpec(segments, table.columns, .fp32)
      temporary(0, ids, role: .workspace)
      temporary(1, ids, role: .workspace)
      gradient(0, table, role: .gradients)
      temporary(2, ids, role: .workspace)
      temporary(3, 16, role: .workspace)
      temporary(4, ids, role: .workspace)
      temporary(5, ids, role: .workspace)
      temporary(6, 8 &* segments, role: .workspace)
      temporary(7, partial.bytes, role: .workspace)
      for index in 0..<UInt8(8) { free(index) }
    }
    if whole != nil, !context.mesh.cutsSequence {
      // By then the gradient that came in is gone.
      temporary(9, max(0, part.bytes &* 2 &- spec.bytes), role: .gradients)
      free(9)
    }
    if expanded { free(8) }
    if permuted { free(9) }
    let output = end(spec)
    if let row { discard(row) }
    return output
  }

  /// The embedding of a table whose rows are cut over devices: ids of other devices are masked, the results added up
  /// and cut along the sequence.
  ///
  /// The table's gradient is that of the whole table; where it is added to the head's, a copy of its part is made first.
  ///
  /// Source: `_MaskPartial` in `torch/distributed/tensor/_ops/_mask_buffer.py` and `_embedding_ops.py`, PyTorch 2.11.
  mutating func cutEmbedding(rows n: Int, _ weight: Parameter, vocabulary: Int) throws(PlanError)
    -> Value
  {
    if context.mesh.cutsSequence { markRedistributed(weight) }
    let (flags, ids) = (try TensorSpec(n, 1, .bool), try TensorSpec(n, 1, .int64))
    let (below, above) = (plain("lt", flags), plain("ge", flags))
    let mask = plain("or", flags)
    discard(below)
    discard(above)
    let shifted = plain("sub", ids)
    let masked = plain("masked_fill", ids)
    discard(shifted)
    let rows = try embedding(rows: n, weight, whole: vocabulary)
    discard(masked)
    discard(mask)
    return context.mesh.cutsSequence ? try reduceScattered(rows) : allReduced(rows)
  }
}

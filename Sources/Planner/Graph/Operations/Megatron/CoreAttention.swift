/// Megatron's core attention from matrix products and a fused softmax, and its recomputation.
///
/// Source: `UnfusedDotProductAttention` in `transformer_engine/pytorch/attention`, Transformer Engine 2;
/// `DotProductAttention` in `megatron/core/transformer/dot_product_attention.py`, core 0.16.1.
extension Forward {
  /// `baddbmm` into an empty tensor, which stays until the result is there: Megatron's own takes one that it keeps.
  mutating func attentionScores(_ q: Value, _ k: Value, _ spec: TensorSpec, flops: Int) -> Value {
    begin("baddbmm", q, k)
    save(q, for: 0b10)
    save(k, for: 0b01)
    work(flops: flops, bytes: q.spec.bytes + k.spec.bytes + spec.bytes, dtype: spec.dtype)
    // Each gradient is scaled into a second tensor.
    temporary(0, q.spec.bytes, for: 0b01)
    gradient(0, q.spec, flops: flops)
    free(0, for: 0b01)
    temporary(0, k.spec.bytes, for: 0b10)
    gradient(1, k.spec, flops: flops)
    free(0, for: 0b10)
    let output = register(spec)
    record()
    let isEngine = context.megatron.implementation == .transformerEngine
    let empty = register(spec)
    if isEngine { allocate(empty) }
    allocate(output)
    if isEngine { discard(empty) }
    link(output)
    return output
  }

  /// Scale, mask and softmax in one kernel: saves its result; the gradient overwrites what came in.
  mutating func scaledMaskedSoftmax(_ scores: Value) -> Value {
    begin("scaled_masked_softmax", scores)
    work(flops: 0, bytes: 2 * scores.spec.bytes, dtype: scores.spec.dtype)
    pass(0)
    return end(scores.spec, saving: 1)
  }

  /// Core attention inside a checkpoint: saves queries, keys and values; the rest lives while it runs.
  ///
  /// Backward makes scores, softmax results, mask and dropped results again before it makes gradients.
  mutating func recomputedAttention(
    _ q: Value, _ k: Value, _ v: Value, scores: TensorSpec, drops: Bool, flops: Int
  ) throws(PlanError) -> Value {
    begin("core_attention", q, k, v)
    save(q, for: .max)
    save(k, for: .max)
    save(v, for: .max)
    work(flops: flops, bytes: 2 * scores.bytes, dtype: q.spec.dtype, kind: .attention)
    let mask = scores.cast(to: .bool)
    // Scores, softmax results, mask, dropped results, context.
    temporary(0, scores.bytes)
    temporary(1, scores.bytes)
    if drops { temporary(2, mask.bytes) }
    if drops { temporary(3, scores.bytes) }
    temporary(4, q.spec.bytes)
    free(0)
    temporary(0, scores.bytes)
    gradient(2, v.spec, flops: flops)
    if drops {
      free(3)
      temporary(3, scores.bytes)
      free(0)
      free(2)
    }
    gradient(0, q.spec, flops: flops)
    gradient(1, k.spec)
    free(1)
    free(drops ? 3 : 0)
    free(4)
    record()
    let parts =
      [register(scores), register(scores)] + (drops ? [register(mask), register(scores)] : [])
    for part in parts { allocate(part) }
    let raw = register(q.spec)
    allocate(raw)
    let output = register(q.spec)
    allocate(output)
    for part in parts { discard(part) }
    discard(raw)
    link(output)
    return output
  }
}

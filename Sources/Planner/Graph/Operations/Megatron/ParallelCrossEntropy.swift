/// Cross-entropy over logits that are cut along the vocabulary.
extension Forward {
  /// The loss of each token, in fp32; saves softmax results, a mask of foreign labels and the labels.
  ///
  /// Operation by operation, the fp32 copy of the logits becomes the softmax in place, and its gradient; autograd
  /// casts that to the logits' format. Compiled pieces make the softmax in a tensor of its own, and so did those of 2023
  /// (`vocab_parallel_logits - logits_max`). Transformer Engine's kernel writes the gradient over the logits.
  ///
  /// Source: `megatron/core/tensor_parallel/cross_entropy.py` and `megatron/core/fusions/fused_cross_entropy.py`, core
  /// 0.16.1; `transformer_engine/pytorch/cross_entropy.py`.
  mutating func parallelCrossEntropy(_ logits: Value) throws(PlanError) -> Value {
    let rows = logits.spec.rows
    let losses = register(try TensorSpec(rows, 1, .fp32))
    begin("vocab_parallel_cross_entropy", logits)
    work(flops: 0, bytes: 3 * logits.spec.bytes, dtype: .fp32)
    if context.megatron.crossEntropy == .transformerEngine {
      reuse(0, saved: 0)
      record()
      let parts = register(try TensorSpec(rows, 3 &* context.mesh.tensor, .fp32))
      allocate(losses, role: .other)
      allocate(parts, role: .other)
      discard(parts)
      link(losses, keeping: [logits])
      return losses
    }
    let wide = logits.spec.cast(to: .fp32)
    let isCompiled = context.megatron.crossEntropy == .native
    if isCompiled {
      gradient(0, logits.spec)
    } else {
      reuse(0, saved: 0)
      if logits.spec.dtype != .fp32 { convert(0, to: logits.spec) }
    }
    record()
    let copy = register(wide)
    allocate(copy)
    let largest = register(try TensorSpec(rows, 1, .fp32))
    let places = register(try TensorSpec(rows, 1, .int64))
    allocate(largest, role: .other)
    allocate(places, role: .other)
    discard(places)
    let foreign = register(try TensorSpec(rows, 1, .bool))
    let labels = register(try TensorSpec(rows, 1, .int64))
    allocate(foreign, role: .other)
    allocate(labels, role: .other)
    var probabilities = copy
    if isCompiled || subtractsIntoCopy {
      probabilities = register(wide)
      allocate(probabilities)
      discard(copy)
    }
    allocate(losses, role: .other)
    discard(largest)
    link(losses, keeping: [probabilities, foreign, labels])
    for value in [probabilities, foreign, labels] { discard(value) }
    return losses
  }

  /// Whether the maximum is not subtracted in place, as in Megatron of 2023 and what was forked from it.
  private var subtractsIntoCopy: Bool {
    context.megatron.usesLegacyModels || context.framework == .deepspeed
  }

  /// `torch.sum(losses * loss_mask)`: one number.
  mutating func maskedSum(_ losses: Value) throws(PlanError) -> Value {
    begin("masked_sum", losses)
    work(flops: 0, bytes: 2 * losses.spec.bytes, dtype: .fp32)
    saveHeld(losses.spec.bytes, for: 1)
    gradient(0, losses.spec)
    let product = register(losses.spec)
    let sum = register(losses.spec.scalar)
    record()
    allocate(product, role: .other)
    allocate(sum, role: .other)
    discard(product)
    link(sum)
    return sum
  }
}

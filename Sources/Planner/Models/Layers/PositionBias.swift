/// What attention adds to its scores for the distance of query and key: `[heads·queries, keys]` for the whole batch.
struct PositionBias: Sendable {
  /// The numbers, in the format of the model.
  var value: Value
  /// Whether they lie in memory as an embedding leaves them, all heads of a pair together.
  var lookedUp: Bool
  /// Whether they want a gradient.
  var wantsGradient: Bool
}

/// Fused attention with a bias that is added to the scores.
extension CausalAttention {
  /// The kernel for it: a bias whose keys are not side by side leaves matrix products and a softmax.
  ///
  /// Source: `check_last_dim_stride_equals_1` and `check_attn_mask_shape` in PyTorch 2.11's
  /// `aten/src/ATen/native/transformers/cuda/sdp_utils.cpp`; the reference runs.
  func kernel(_ bias: PositionBias, dtype: DType, on context: ForwardContext) -> AttentionKernel {
    .chosen(
      shape(bias, context), dtype: context.autocast ?? dtype, masked: true, on: context.kernels)
  }

  private func shape(_ bias: PositionBias, _ context: ForwardContext) -> AttentionShape {
    var shape = shape(context, expanded: false)
    shape.bias = bias.lookedUp && heads > 1 ? .strided : bias.wantsGradient ? .trained : .constant
    return shape
  }

  /// `sdpa_attention_forward` with a position bias, which becomes its mask.
  func biased(
    _ q: Value, _ k: Value, _ v: Value, bias: PositionBias, in f: inout Forward
  ) throws(PlanError) -> Value {
    f.enter("self_attn", holding: q, k, v)
    var mask = bias.value
    if causal { mask = f.local(try pastAlone(bias.value, in: &f)) }
    let kernel = kernel(bias, dtype: q.spec.dtype, on: f.context)
    mask = f.castForProduct(mask)
    let (vc, kc, qc) = (f.castForProduct(v), f.castForProduct(k), f.castForProduct(q))
    if kernel == .math { return f.leave(try math(qc, kc, vc, bias: mask, in: &f)) }
    let shape = shape(bias, f.context)
    if kernel == .efficient {
      // Strides of whole 8 elements, as `pad_bias` makes them; looked up for one head, that of the heads is 1.
      if shape.keys % 8 != 0 || bias.lookedUp && !causal {
        let padded = try f.pad(mask, columns: shape.keys + 8 - shape.keys % 8)
        mask = try f.slice(padded, columns: shape.keys)
      }
      if bias.wantsGradient { mask = try f.expand(mask, times: f.context.batch) }
    }
    let output = try f.fusedAttention(qc, kc, vc, bias: mask, shape: shape, kernel: kernel)
    return f.leave(try f.view(output, columns: heads * headWidth))
  }

  /// `create_position_bias_mask`: the bias where a query sees the key, the lowest number elsewhere.
  private func pastAlone(_ bias: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("mask")
    let queries = queries ?? f.context.sequence
    let keys = keys ?? f.context.sequence
    let rows = f.plain("arange", try TensorSpec(1, queries, .int64))
    let columns = f.plain("arange", try TensorSpec(1, keys, .int64))
    let truth = f.local(f.plain("ge", try TensorSpec(queries, keys, .bool)))
    f.discard(rows)
    f.discard(columns)
    return f.leave(f.select(bias, where: truth))
  }
}

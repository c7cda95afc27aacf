/// Self-attention with grouped heads: one matrix for queries, keys and values, core attention, an output matrix.
///
/// Source: `SelfAttention` in `megatron/core/transformer/attention.py`, core 0.16.1.
struct MegatronAttention: MegatronSelfAttention {
  private let sizes: MegatronSizes
  private let part: MegatronSizes.Part
  private let tokens: MegatronTokens
  private let norm: MegatronNorm
  private let projection: Parameter
  private let projectionBias: Parameter?
  private let headNorms: (query: MegatronNorm, key: MegatronNorm)?
  private let output: Parameter
  /// Added with the dropout and the residual.
  let outputBias: Parameter?

  /// Declares its weights.
  init(
    _ sizes: MegatronSizes, _ part: MegatronSizes.Part, _ tokens: MegatronTokens,
    in f: inout Forward
  ) throws(PlanError) {
    (self.sizes, self.part, self.tokens) = (sizes, part, tokens)
    let width = sizes.headWidth
    let queries = try checkedProduct(part.heads, width)
    let rows = queries + 2 * (try checkedProduct(part.keyHeads, width))
    // Devices beyond the key heads have copies of some.
    let all = try checkedProduct(sizes.heads + 2 * sizes.keyHeads, width)
    output = try f.cutParameter("self_attention.linear_proj.weight", sizes.hidden, queries)
    outputBias =
      sizes.addsBias ? try f.parameter("self_attention.linear_proj.bias", 1, sizes.hidden) : nil
    norm = try f.megatronNorm(
      "self_attention.linear_qkv.layer_norm_weight", sizes, width: sizes.hidden)
    projection = try f.parameter(
      "self_attention.linear_qkv.weight", rows, sizes.hidden,
      whole: try checkedProduct(all, sizes.hidden))
    projectionBias =
      sizes.addsBias || sizes.addsQueryBias
      ? try f.parameter("self_attention.linear_qkv.bias", 1, rows, whole: all) : nil
    guard sizes.normsHeads else {
      headNorms = nil
      return
    }
    headNorms = (
      try f.megatronNorm("self_attention.q_layernorm.weight", sizes, width: width),
      try f.megatronNorm("self_attention.k_layernorm.weight", sizes, width: width)
    )
  }

  /// Runs it; its last bias is left to the caller.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("self_attention", holding: x)
    let width = sizes.headWidth
    let (queries, keys) = (part.heads * width, part.keyHeads * width)
    let mixed = try f.normedProduct(x, norm, projection, bias: projectionBias)
    let parts = try f.split(mixed, queries, keys, keys)
    // Heads of several groups do not lie side by side: reshaping copies them.
    let copies = part.keyHeads > 1 && part.heads > part.keyHeads
    var q = f.local(copies ? try f.contiguous(parts.0, columns: queries) : parts.0)
    var (k, v) = (f.local(parts.1), f.local(parts.2))
    q = f.local(try f.heads(q, width: width, copies: false), replacing: q)
    k = f.local(try f.heads(k, width: width, copies: false), replacing: k)
    v = f.local(try f.heads(v, width: width, copies: false), replacing: v)
    if let headNorms {
      q = f.local(try f.norm(q, headNorms.query), replacing: q)
      k = f.local(try f.norm(k, headNorms.key), replacing: k)
    }
    let rotates = sizes.positions == .rotary
    if rotates {
      q = f.local(f.fusedRotary(q), replacing: q)
      k = f.local(f.fusedRotary(k), replacing: k)
    }
    // Transformer Engine makes all three contiguous unless they are views of one tensor of equal parts.
    let isAlone = rotates || headNorms != nil
    if f.context.megatron.implementation == .transformerEngine,
      isAlone || part.heads > part.keyHeads
    {
      if !isAlone {
        if !copies { q = f.local(try f.contiguous(q, columns: width), replacing: q) }
        k = f.local(try f.contiguous(k, columns: width), replacing: k)
      }
      v = f.local(try f.contiguous(v, columns: width), replacing: v)
    }
    let core = MegatronCoreAttention(
      shape: AttentionShape(
        batch: tokens.batch, queries: tokens.sequence, keys: tokens.sequence, heads: part.heads,
        keyHeads: part.keyHeads, headWidth: width, dropout: sizes.dropsAttention))
    let attended = f.local(try core(q, k, v, in: &f))
    return f.leave(try f.parallelProduct(attended, output, cut: .row))
  }
}

/// Scores, softmax and their product with the values, by the kernel that was chosen.
struct MegatronCoreAttention: Sendable {
  let shape: AttentionShape

  /// Rows of all heads of each token.
  func callAsFunction(_ q: Value, _ k: Value, _ v: Value, in f: inout Forward) throws(PlanError)
    -> Value
  {
    let columns = try checkedProduct(shape.heads, shape.values)
    guard let kernel = kernel(f.context) else { return try unfused(q, k, v, columns, in: &f) }
    // FlashAttention takes the batch first: copies go in, and its result is copied back. One sequence lies the same way
    // round, and parts of sequences go in as they are.
    guard kernel == .flash, shape.batch > 1, f.context.mesh.context == 1 else {
      let attended = try f.fusedAttention(q, k, v, bias: nil, shape: shape, kernel: kernel)
      return try f.view(attended, columns: columns)
    }
    f.enter("flash_attention", holding: q, k, v)
    let queries = f.local(try f.contiguous(q, columns: q.spec.columns))
    let keys = f.local(try f.contiguous(k, columns: k.spec.columns))
    let values = f.local(try f.contiguous(v, columns: v.spec.columns))
    let attended = try f.fusedAttention(
      queries, keys, values, bias: nil, shape: shape, kernel: kernel)
    return f.leave(try f.contiguous(attended, columns: columns))
  }

  /// The fused kernel, or `nil` for matrix products.
  ///
  /// Source: `get_attention_backend` in `transformer_engine/pytorch/attention`, Transformer Engine 2: cuDNN's kernel ahead
  /// of FlashAttention 2 from compute capability 9.0 on.
  private func kernel(_ context: ForwardContext) -> AttentionKernel? {
    guard context.dtype != .fp32 else { return nil }
    if context.megatron.implementation == .local {
      return context.megatron.runsOwnFlashAttention ? .flash : nil
    }
    return switch context.megatron.attention {
    case .unfused: nil
    case .flash: .flash
    case .fused: .cudnn
    case .auto: context.kernels.computeCapability >= 90 ? .cudnn : .flash
    }
  }

  private func unfused(
    _ q: Value, _ k: Value, _ v: Value, _ columns: Int, in f: inout Forward
  ) throws(PlanError) -> Value {
    f.enter("core_attention", holding: q, k, v)
    let times = shape.heads / max(1, shape.keyHeads)
    let keys = times == 1 ? k : f.local(try f.repeatHeads(k, times: times))
    let values = times == 1 ? v : f.local(try f.repeatHeads(v, times: times))
    let matrices = try checkedProduct(shape.batch, shape.heads, shape.queries)
    let spec = try TensorSpec(matrices, shape.keys, q.spec.dtype)
    let flops = try checkedProduct(2, spec.elements, shape.headWidth)
    if f.context.megatron.recomputes.contains(.coreAttention) {
      let attended = try f.recomputedAttention(
        q, keys, values, scores: spec, drops: shape.dropout, flops: flops)
      return f.leave(try f.view(attended, columns: columns))
    }
    let scores = f.local(f.attentionScores(q, keys, spec, flops: flops))
    var weights = f.local(f.scaledMaskedSoftmax(scores))
    if shape.dropout { weights = f.local(f.dropout(weights), replacing: weights) }
    let attended = try f.batchedProduct(
      weights, values, columns: shape.values, inner: shape.keys)
    return f.leave(try f.contiguous(attended, columns: columns))
  }
}

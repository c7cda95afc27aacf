/// Causal self-attention between the projections, as `transformers` dispatches it.
///
/// Source: `eager_attention_forward`, `sdpa_attention_forward` and `create_causal_mask`, transformers 5.17.
struct CausalAttention: Sendable {
  /// Query heads.
  var heads: Int
  /// Key and value heads.
  var keyHeads: Int
  /// Elements of a head.
  var headWidth: Int
  /// Keys that a query can see, or `nil` for all before it.
  var window: Int?
  /// Whether attention weights are dropped out in training.
  var dropout = false
  /// Whether queries and keys are rows of whole heads in memory, as a concatenation leaves them.
  var contiguousHeads = false
  /// Whether eager attention leaves the format of its softmax to PyTorch instead of asking for fp32 (GPT-2).
  var plainSoftmax = false

  /// The mask that the model builds once: none for fused kernels that skip the future themselves.
  ///
  /// Beyond the sliding window the fused kernels get a boolean mask; eager attention an additive one.
  func mask(in f: inout Forward) throws(PlanError) -> Value? {
    let sequence = f.context.sequence
    let square = try TensorSpec(sequence, sequence, .bool)
    switch f.context.attention {
    case .sdpa:
      guard let window, sequence > window else { return nil }
      let a = f.plain("le", square)
      let b = f.plain("gt", square)
      f.discard(a)
      let c = f.plain("and", square)
      let mask = f.plain("and", square)
      f.discard(c)
      f.discard(b)
      return mask
    case .eager:
      let truth = f.plain("le", square)
      let mask = f.plain(
        "where",
        try TensorSpec(
          try checkedProduct(f.context.batch, sequence), sequence, f.context.dtype))
      f.discard(truth)
      return mask
    }
  }

  /// Whether value gradients reach the projection in another layout than its output's, so that they are copied.
  func copiesValueGradient(masked: Bool, dtype: DType, in f: Forward) -> Bool {
    if f.context.attention == .eager { return true }
    if masked, heads != keyHeads { return true }
    return kernel(masked: masked, dtype: dtype, on: f.context) == .math
  }

  /// Attention over rotated queries and keys: `[batch·heads·sequence, width]` each.
  ///
  /// - Returns: The result, `[batch·sequence, heads·width]`, and the weights where they are materialised.
  func callAsFunction(_ q: Value, _ k: Value, _ v: Value, mask: Value?, in f: inout Forward)
    throws(PlanError) -> (output: Value, weights: Value?)
  {
    switch f.context.attention {
    case .sdpa: (try fused(q, k, v, mask: mask, in: &f), nil)
    case .eager: try eager(q, k, v, mask: mask, in: &f)
    }
  }

  private func shape(_ context: ForwardContext, expanded: Bool) -> AttentionShape {
    AttentionShape(
      batch: context.batch, queries: context.sequence, keys: context.sequence, heads: heads,
      keyHeads: expanded ? heads : keyHeads, headWidth: headWidth)
  }

  private func kernel(masked: Bool, dtype: DType, on context: ForwardContext) -> AttentionKernel {
    .chosen(
      shape(context, expanded: masked), dtype: context.autocast ?? dtype, masked: masked,
      on: context.kernels)
  }

  private func fused(_ q: Value, _ k: Value, _ v: Value, mask: Value?, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter("self_attn", holding: q, k, v)
    let times = mask == nil ? 1 : heads / keyHeads
    let k = f.local(try f.repeatHeads(k, times: times))
    let v = f.local(try f.repeatHeads(v, times: times))
    let kernel = kernel(masked: mask != nil, dtype: q.spec.dtype, on: f.context)
    if kernel == .math { return f.leave(try math(q, k, v, masked: mask != nil, in: &f)) }
    let (vc, kc, qc) = (f.castForProduct(v), f.castForProduct(k), f.castForProduct(q))
    var bias: Value?
    if mask != nil {
      bias = f.plain(
        "where",
        try TensorSpec(
          try checkedProduct(f.context.batch, f.context.sequence), f.context.sequence,
          qc.spec.dtype), role: .activations)
    }
    let output = try f.fusedAttention(
      qc, kc, vc, bias: bias, shape: shape(f.context, expanded: times > 1), kernel: kernel,
      causal: mask == nil)
    if contiguousHeads, kernel != .efficient {
      // The result has the queries' layout; the memory-efficient kernel writes rows of tokens.
      return f.leave(try f.contiguous(output, columns: heads * headWidth))
    }
    return f.leave(try f.view(output, columns: heads * headWidth))
  }

  /// PyTorch's fallback: scaled copies, scores, a causal mask, a softmax.
  private func math(
    _ q: Value, _ k: Value, _ v: Value, masked: Bool, in f: inout Forward
  ) throws(PlanError) -> Value {
    let (v, k, q) = (f.castForProduct(v), f.castForProduct(k), f.castForProduct(q))
    f.enter("self_attn", holding: q, k, v)
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let times = heads / (k.spec.rows / max(1, batch * sequence))
    let scaled = f.local(f.scale(q))
    let square = try TensorSpec(sequence, sequence, .bool)
    let ones = f.plain("ones", square)
    let lower = f.plain("tril", square)
    f.discard(ones)
    let mask = f.local(f.plain("where", square.cast(to: q.spec.dtype)))
    f.discard(lower)
    let allKeys = f.local(try f.repeatHeads(k, times: times))
    let values = f.local(try f.repeatHeads(v, times: times))
    let keys = f.scale(allKeys)
    let queries = try Self.matrices(scaled, width: headWidth, in: &f)
    let scores = try f.batchedProduct(queries, keys, columns: sequence, inner: headWidth)
    var weights = try f.safeSoftmax(try f.add(scores, mask), to: q.spec.dtype)
    if dropout { weights = f.dropout(weights) }
    let output = try f.batchedProduct(weights, values, columns: headWidth, inner: sequence)
    let result = f.leave(output)
    return try f.contiguous(
      try f.heads(result, width: headWidth, copies: batch > 1), columns: heads * headWidth)
  }

  /// Heads as the matrices of a batched product: a copy, unless there is one sequence only.
  static func matrices(_ x: Value, width: Int, in f: inout Forward) throws(PlanError) -> Value {
    f.context.batch > 1 ? try f.contiguous(x, columns: width) : try f.view(x, columns: width)
  }

  /// Matrix products and a softmax written out; the weights are returned.
  private func eager(_ q: Value, _ k: Value, _ v: Value, mask: Value?, in f: inout Forward)
    throws(PlanError) -> (Value, Value?)
  {
    f.enter("self_attn", holding: q, k, v)
    let times = heads / keyHeads
    let sequence = f.context.sequence
    let k = f.local(try f.repeatHeads(k, times: times))
    let v = f.local(try f.repeatHeads(v, times: times))
    let queries = contiguousHeads ? q : try Self.matrices(q, width: headWidth, in: &f)
    let whole = times > 1 || contiguousHeads
    let keys = whole ? k : try Self.matrices(k, width: headWidth, in: &f)
    let products = try f.batchedProduct(queries, keys, columns: sequence, inner: headWidth)
    var weights = f.local(f.scale(products))
    if let mask { weights = f.local(try f.add(weights, mask), replacing: weights) }
    weights = f.local(softmax(weights, query: q, value: v, in: &f), replacing: weights)
    if dropout { weights = f.local(f.dropout(weights), replacing: weights) }
    let values = times > 1 ? v : try Self.matrices(v, width: headWidth, in: &f)
    let product = try f.batchedProduct(weights, values, columns: headWidth, inner: sequence)
    let output = f.local(
      try f.heads(product, width: headWidth, copies: f.context.batch > 1))
    let rows = f.local(
      try f.contiguous(output, columns: heads * headWidth), replacing: output)
    let (result, returned) = f.leave(rows, weights)
    return (result, returned)
  }

  private func softmax(_ scores: Value, query q: Value, value v: Value, in f: inout Forward)
    -> Value
  {
    guard plainSoftmax else { return f.softmax(scores, to: q.spec.dtype) }
    // Autocast runs it in fp32; the cast back is a no-op otherwise.
    return f.softmax(
      scores, in: f.context.autocast == nil ? scores.spec.dtype : .fp32, to: v.spec.dtype)
  }
}

/// Falcon's attention between its projections: a fused projection is split in one of three ways.
///
/// Source: `FalconAttention._split_heads` and `.forward`, transformers 5.17. The mask is always materialised.
struct FalconAttention: Sendable {
  /// How queries share keys and values.
  enum Grouping: Hashable, Sendable {
    /// Each head has its own.
    case full
    /// All heads share one, which attention broadcasts.
    case shared
    /// This many groups share one each, which is copied to every head.
    case grouped(Int)
  }

  let heads: Int
  let headWidth: Int
  let grouping: Grouping

  /// Key and value heads of the projection.
  private var keyHeads: Int {
    switch grouping {
    case .full: heads
    case .shared: 1
    case .grouped(let keyHeads): keyHeads
    }
  }

  /// Rows of the fused projection's weight.
  var fusedWidth: Int { (heads + 2 * keyHeads) * headWidth }

  /// Attention once every head has its keys.
  private var expanded: CausalAttention {
    CausalAttention(heads: heads, keyHeads: heads, headWidth: headWidth)
  }

  /// The mask of the model: boolean for fused kernels, additive for eager attention.
  func mask(in f: inout Forward) throws(PlanError) -> Value {
    if let mask = try expanded.mask(in: &f) { return mask }
    return f.plain("le", try TensorSpec(f.context.sequence, f.context.sequence, .bool))
  }

  /// From the fused projection to merged heads, whose names are the frame's.
  func callAsFunction(
    _ fused: Value, mask: Value, cos: Value, sin: Value, in f: inout Forward
  ) throws(PlanError) -> (Value, Value?) {
    var (q, k, v) = try split(fused, in: &f)
    let turned = try RotaryEmbedding.apply(q, k, cos: cos, sin: sin, in: &f)
    q = f.local(turned.0, replacing: q)
    k = f.local(turned.1, replacing: k)
    if f.context.attention == .eager { return try eager(q, k, &v, mask: mask, in: &f) }
    if grouping == .shared, heads > 1 {
      let output = f.local(try broadcast(q, k, v, in: &f))
      return (
        f.local(try f.contiguous(output, columns: heads * headWidth), replacing: output), nil
      )
    }
    return (f.local(try expanded(q, k, v, mask: mask, in: &f).output), nil)
  }

  /// Queries, keys and values as views or copies of the projection.
  private func split(_ fused: Value, in f: inout Forward) throws(PlanError) -> (
    Value, Value, Value
  ) {
    let (queryWidth, keyWidth) = (heads * headWidth, keyHeads * headWidth)
    var q = f.local(try f.slice(fused, columns: queryWidth))
    var k = f.local(try part(fused, keyWidth, in: &f))
    var v = f.local(try part(fused, keyWidth, in: &f))
    if case .grouped(let keyHeads) = grouping, keyHeads < heads {
      let copy = f.local(try f.contiguous(q, columns: queryWidth))
      let times = heads / keyHeads
      let keys = f.local(try f.repeatHeads(k, times: times))
      let values = f.local(try f.repeatHeads(v, times: times))
      f.forget(q)
      f.forget(k)
      f.forget(v)
      (q, k, v) = (copy, keys, values)
    }
    q = f.local(try f.heads(q, width: headWidth, copies: false), replacing: q)
    k = f.local(try f.heads(k, width: headWidth, copies: false), replacing: k)
    v = f.local(try f.heads(v, width: headWidth, copies: false), replacing: v)
    return (q, k, v)
  }

  /// One of the three parts where they are selected, or a copy by a list of indices.
  private func part(_ fused: Value, _ width: Int, in f: inout Forward) throws(PlanError) -> Value {
    grouping == .full ? try f.slice(fused, columns: width) : try f.pick(fused, columns: width)
  }

  /// One key head for all queries: no fused kernel broadcasts, so PyTorch multiplies matrices, in fp32.
  ///
  /// Source: `_scaled_dot_product_attention_math` in PyTorch's `aten/src/ATen/native/transformers/attention.cpp`.
  private func broadcast(_ q: Value, _ k: Value, _ v: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let (v, k, q) = (f.castForProduct(v), f.castForProduct(k), f.castForProduct(q))
    let (dtype, sequence) = (q.spec.dtype, f.context.sequence)
    f.enter("self_attention", holding: q, k, v)
    let rows = try checkedProduct(f.context.batch, sequence)
    let bias = f.local(f.plain("where", try TensorSpec(rows, sequence, dtype)))
    let wideQuery = f.local(f.cast(q, to: .fp32))
    let wideKey = f.local(f.cast(k, to: .fp32))
    let wideValue = f.local(f.cast(v, to: .fp32))
    let scaledQuery = f.local(f.scale(wideQuery))
    let scaledKey = f.local(f.scale(wideKey))
    let scores = try f.batchedProduct(
      try expanded.matrices(scaledQuery, in: &f),
      try spread(scaledKey, in: &f), columns: sequence, inner: headWidth)
    f.forget(scaledKey)
    let masked = f.local(try f.add(scores, bias))
    let weights = f.local(f.safeSoftmax(masked))
    f.forget(masked)
    _ = f.local(f.cast(weights, to: dtype))
    let product = try f.batchedProduct(
      weights, try spread(wideValue, in: &f), columns: headWidth, inner: sequence)
    let copies = f.context.batch > 1
    return f.leave(f.cast(try f.heads(product, width: headWidth, copies: copies), to: dtype))
  }

  /// Matrix products and a softmax in the format of the hidden states.
  private func eager(
    _ q: Value, _ k: Value, _ v: inout Value, mask: Value, in f: inout Forward
  ) throws(PlanError) -> (Value, Value?) {
    let sequence = f.context.sequence
    let (castKeys, castQueries) = (f.castForProduct(k), f.castForProduct(q))
    var scores = f.local(
      try f.batchedProduct(
        try expanded.matrices(castQueries, in: &f), try spread(castKeys, in: &f),
        columns: sequence, inner: headWidth))
    scores = f.local(f.divideInPlace(scores), replacing: scores)
    let format = f.context.autocast == nil ? q.spec.dtype : .fp32
    let weights = f.softmax(try f.add(scores, mask), in: format, to: format)
    scores = f.local(weights, replacing: scores)
    let (castValues, castWeights) = (f.castForProduct(v), f.castForProduct(scores))
    let product = try f.batchedProduct(
      castWeights, try spread(castValues, in: &f), columns: headWidth, inner: sequence)
    let output = f.local(
      try f.heads(product, width: headWidth, copies: f.context.batch > 1))
    return (
      f.local(try f.contiguous(output, columns: heads * headWidth), replacing: output), scores
    )
  }

  /// What a batched product makes of keys or values: a copy for every head, unless there is one sequence only.
  private func spread(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    guard grouping == .shared, heads > 1 else {
      return try expanded.matrices(x, in: &f)
    }
    return try f.repeatHeads(x, times: heads, copies: f.context.batch > 1)
  }
}

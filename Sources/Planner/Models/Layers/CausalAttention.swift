/// Self-attention between the projections, as `transformers` dispatches it; causal unless told otherwise.
///
/// Source: `eager_attention_forward`, `sdpa_attention_forward` and `create_causal_mask`, transformers 5.17.
struct CausalAttention: Sendable {
  /// Query heads.
  var heads: Int
  /// Key and value heads.
  var keyHeads: Int
  /// Elements of a head.
  var headWidth: Int
  /// Elements of a value head, where they are others.
  var valueWidth: Int?
  /// Keys that a query can see, or `nil` for all before it.
  var window: Int?
  /// Whether eager attention bounds its scores by a tanh; the fused kernels do not.
  var capped = false
  /// Whether attention weights are dropped out in training.
  var dropout = false
  /// Whether queries and keys are rows of whole heads in memory, as a concatenation leaves them.
  var contiguousHeads = false
  /// Whether eager attention leaves the format of its softmax to PyTorch instead of asking for fp32 (GPT-2).
  var plainSoftmax = false
  /// Whether that softmax's result keeps its format: fp32 under autocast (BERT).
  var keepsSoftmax = false
  /// Whether a query sees only what comes before it.
  var causal = true
  /// Query positions, where they are not the sequence's.
  var queries: Int?
  /// Key positions, where they are not the sequence's.
  var keys: Int?

  /// Elements of a result's row: all value heads.
  private var outputWidth: Int { heads * (valueWidth ?? headWidth) }

  /// The mask that the model builds once: none for fused kernels that skip the future themselves.
  ///
  /// Beyond the sliding window the fused kernels get a boolean mask; eager attention an additive one.
  ///
  /// Without padding, attention in both directions needs none.
  func mask(in f: inout Forward) throws(PlanError) -> Value? {
    guard causal else { return nil }
    let sequence = queries ?? f.context.sequence
    let square = try TensorSpec(sequence, sequence, .bool)
    switch f.context.attention {
    case .flash: return nil
    case .sdpa:
      guard let window, sequence >= window else { return nil }
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
  ///
  /// A single head lies the same in both.
  func copiesValueGradient(masked: Bool, dtype: DType, in f: Forward) -> Bool {
    if f.context.mesh.exchangesHeads { return copiesExchangedGradient(of: keyHeads, in: f) }
    if keyHeads == 1 { return false }
    if f.context.mesh.context > 1 { return true }
    if f.context.attention != .sdpa { return copiesEveryGradient(in: f) }
    if expands(masked: masked), heads != keyHeads { return true }
    let kernel = kernel(masked: masked, dtype: dtype, on: f.context)
    return kernel == .math || kernel == .flash && headWidth % 8 != 0
  }

  /// Whether query gradients leave attention in another layout than the projection's output.
  func copiesQueryGradient(masked: Bool, dtype: DType, in f: Forward) -> Bool {
    if f.context.mesh.exchangesHeads { return copiesExchangedGradient(of: heads, in: f) }
    if heads == 1 { return false }
    if f.context.attention != .sdpa { return copiesEveryGradient(in: f) }
    let kernel = kernel(masked: masked, dtype: dtype, on: f.context)
    return kernel == .math || kernel == .flash && headWidth % 8 != 0
  }

  /// Whether gradients of several heads leave attention in another layout than the projections' outputs: transposed, or
  /// as parts of padded rows.
  func copiesEveryGradient(in f: Forward) -> Bool {
    switch f.context.attention {
    case .sdpa: false
    case .eager: true
    case .flash: FlashAttentionPackage.padded(headWidth) != headWidth
    }
  }

  /// Attention over rotated queries and keys: `[batch·heads·sequence, width]` each.
  ///
  /// - Parameter bias: What is added to the scores, a name of a caller's frame.
  /// - Returns: The result, `[batch·sequence, heads·width]`, and the weights where they are materialised.
  func callAsFunction(
    _ q: Value, _ k: Value, _ v: Value, mask: Value?, bias: PositionBias? = nil,
    in f: inout Forward
  ) throws(PlanError) -> (output: Value, weights: Value?) {
    if f.context.mesh.exchangesHeads { return (try exchanged(q, k, v, in: &f), nil) }
    switch f.context.attention {
    case .sdpa:
      if let bias { return (try biased(q, k, v, bias: bias, in: &f), nil) }
      return (try fused(q, k, v, mask: mask, in: &f), nil)
    case .flash: return (try packaged(q, k, v, in: &f), nil)
    case .eager: return try eager(q, k, v, mask: mask, bias: bias, in: &f)
    }
  }

  /// Whether key heads are repeated ahead of the kernel (`use_gqa_in_sdpa`).
  private func expands(masked: Bool) -> Bool { masked || headWidth > 256 }

  func shape(_ context: ForwardContext, expanded: Bool) -> AttentionShape {
    AttentionShape(
      batch: context.batch, queries: queries ?? context.sequence,
      keys: keys ?? context.sequence, heads: heads,
      keyHeads: expanded ? heads : keyHeads, headWidth: headWidth, causal: causal,
      dropout: dropout, valueWidth: valueWidth)
  }

  private func kernel(masked: Bool, dtype: DType, on context: ForwardContext) -> AttentionKernel {
    .chosen(
      shape(context, expanded: expands(masked: masked)), dtype: context.autocast ?? dtype,
      masked: masked,
      on: context.kernels)
  }

  func fused(_ q: Value, _ k: Value, _ v: Value, mask: Value?, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter("self_attn", holding: q, k, v)
    let expanded = expands(masked: mask != nil)
    let k = expanded ? f.local(try repeatHeads(k, in: &f)) : k
    let v = expanded ? f.local(try repeatHeads(v, in: &f)) : v
    let kernel = kernel(masked: mask != nil, dtype: q.spec.dtype, on: f.context)
    let (vc, kc, qc) = (f.castForProduct(v), f.castForProduct(k), f.castForProduct(q))
    let bias = mask == nil ? nil : try bias(qc.spec.dtype, kernel, in: &f)
    if kernel == .math { return f.leave(try math(qc, kc, vc, bias: bias, in: &f)) }
    let shape = shape(f.context, expanded: expanded)
    if f.context.mesh.context > 1, !f.context.mesh.exchangesHeads {
      return f.leave(try ring(qc, kc, vc, shape: shape, kernel: kernel, in: &f))
    }
    if kernel == .flash, headWidth % 8 != 0 {
      return f.leave(try padded(qc, kc, vc, shape: shape, in: &f))
    }
    let output = try f.fusedAttention(qc, kc, vc, bias: bias, shape: shape, kernel: kernel)
    // The result lies in memory as the queries do, except the memory-efficient kernel's.
    guard contiguousHeads, kernel != .efficient, heads > 1 else {
      return f.leave(try f.view(output, columns: outputWidth))
    }
    return f.leave(try f.contiguous(output, columns: outputWidth))
  }

  /// Attention over a sequence that devices share; its result is copied into rows.
  private func ring(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, kernel: AttentionKernel,
    in f: inout Forward
  ) throws(PlanError) -> Value {
    guard kernel == .cudnn || kernel == .flash && headWidth % 8 == 0 else {
      throw PlanError(
        .unsupported, "context parallelism is planned for cuDNN's and FlashAttention's kernels",
        path: "strategies.context_parallel",
        fix: "Use a 16-bit precision and heads of at most 256 elements, a multiple of 8.")
    }
    let output = try f.ringAttention(q, k, v, shape: shape, kernel: kernel)
    if heads == 1 { return try f.view(output, columns: outputWidth) }
    return try f.contiguous(output, columns: outputWidth)
  }

  /// FlashAttention over heads padded to whole 8 elements; its result is cut and copied into rows.
  ///
  /// Source: `pad_last_dim` and `post_process_flash_output` in `aten/src/ATen/native/transformers/attention.cpp`;
  /// `_flash_attention_backward` copies a result and a gradient that are not contiguous.
  private func padded(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, in f: inout Forward
  ) throws(PlanError) -> Value {
    var shape = shape
    shape.headWidth += 8 - headWidth % 8
    let qp = try f.pad(q, columns: shape.headWidth)
    let kp = try f.pad(k, columns: shape.headWidth)
    let vp = try f.pad(v, columns: shape.headWidth)
    let output = try f.fusedAttention(
      qp, kp, vp, bias: nil, shape: shape, kernel: .flash, copiesInBackward: heads > 1)
    return try f.contiguous(try f.slice(output, columns: headWidth), columns: heads * headWidth)
  }

  /// The boolean mask as numbers to add; the memory-efficient kernel wants rows of whole 8 elements.
  ///
  /// Source: `convert_boolean_attn_mask` and `pad_bias` in `aten/src/ATen/native/transformers/attention.cpp`.
  private func bias(_ dtype: DType, _ kernel: AttentionKernel, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let rows = try checkedProduct(batch, sequence)
    let numbers = f.plain(
      "where", try TensorSpec(rows, sequence, dtype), role: .activations)
    guard kernel == .efficient, sequence % 8 != 0 else { return numbers }
    let padded = f.plain(
      "pad", try TensorSpec(rows, sequence + 8 - sequence % 8, dtype), role: .activations)
    f.discard(numbers)
    return padded
  }

  /// PyTorch's fallback: scaled copies, scores, a mask, a softmax; 16-bit formats are computed in fp32.
  ///
  /// Source: `_scaled_dot_product_attention_math` and `convert_boolean_attn_mask` in
  /// `aten/src/ATen/native/transformers/attention.cpp`, `_safe_softmax` in `aten/src/ATen/native/SoftMax.cpp`.
  func math(
    _ q: Value, _ k: Value, _ v: Value, bias: Value?, in f: inout Forward
  ) throws(PlanError) -> Value {
    f.enter("self_attn", holding: q, k, v)
    if let bias { _ = f.local(bias) }
    let (sequence, dtype) = (keys ?? f.context.sequence, q.spec.dtype)
    let wide = f.local(f.cast(q, to: .fp32))
    let wideKeys = f.local(f.cast(k, to: .fp32))
    let wideValues = f.local(f.cast(v, to: .fp32))
    let scaled = f.local(f.scale(wide))
    if causal, bias == nil {
      let square = try TensorSpec(sequence, sequence, .bool)
      let ones = f.plain("ones", square)
      let lower = f.plain("tril", square)
      f.discard(ones)
      _ = f.local(f.plain("where", square.cast(to: .fp32)))
      f.discard(lower)
    }
    let times = k.spec.rows == q.spec.rows ? 1 : heads / keyHeads
    let allKeys = times > 1 ? f.local(try f.repeatHeads(wideKeys, times: times)) : wideKeys
    let values = times > 1 ? f.local(try f.repeatHeads(wideValues, times: times)) : wideValues
    let scaledKeys = f.local(f.scale(allKeys))
    let queries = try matrices(scaled, inOrder: contiguousHeads, in: &f)
    let keys = try matrices(scaledKeys, inOrder: times > 1 || contiguousHeads, in: &f)
    var scores = f.local(
      try f.batchedProduct(queries, keys, columns: sequence, inner: headWidth))
    f.forget(scaledKeys)
    if let bias { scores = f.local(f.addInPlace(scores, bias), replacing: scores) }
    var weights = f.local(f.safeSoftmax(scores))
    f.forget(scores)
    if dropout { weights = f.local(f.dropout(weights), replacing: weights) }
    _ = f.local(f.cast(weights, to: dtype))
    let product = try f.batchedProduct(
      weights, try matrices(values, inOrder: times > 1, in: &f),
      columns: valueWidth ?? headWidth, inner: sequence)
    let result = f.leave(f.cast(product, to: dtype))
    return try rows(result, in: &f)
  }

  /// The operand of a batched product: copied where batch and heads cannot be viewed as one dimension.
  func matrices(_ x: Value, inOrder: Bool = false, in f: inout Forward) throws(PlanError)
    -> Value
  {
    if inOrder || heads == 1 || f.context.batch == 1 { return x }
    return try f.contiguous(x, columns: x.spec.columns)
  }

  /// `transpose(1, 2).contiguous()` of the result: a copy, unless there is one head.
  private func rows(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    if heads == 1 { return try f.view(x, columns: outputWidth) }
    return try f.contiguous(
      try f.heads(x, width: x.spec.columns, copies: f.context.batch > 1), columns: outputWidth)
  }

  /// Matrix products and a softmax written out; the weights are returned.
  private func eager(
    _ q: Value, _ k: Value, _ v: Value, mask: Value?, bias: PositionBias?, in f: inout Forward
  ) throws(PlanError) -> (Value, Value?) {
    f.enter("self_attn", holding: q, k, v)
    let (sequence, dtype) = (keys ?? f.context.sequence, q.spec.dtype)
    let repeated = heads != keyHeads && keyHeads > 1
    let k = f.local(try repeatHeads(k, in: &f))
    let v = f.local(try repeatHeads(v, in: &f))
    let (castKeys, castQueries) = (f.castForProduct(k), f.castForProduct(q))
    let queries = try matrices(castQueries, inOrder: contiguousHeads, in: &f)
    let inOrder = repeated || (contiguousHeads && heads == keyHeads)
    let keys = try matrices(castKeys, inOrder: inOrder, in: &f)
    let products = try f.batchedProduct(
      queries, keys, columns: sequence, inner: headWidth, transposed: true)
    var weights = f.local(f.scale(products))
    if capped { weights = f.softCap(weights) }
    if let bias { weights = f.local(try f.add(weights, bias.value), replacing: weights) }
    if let mask { weights = f.local(try f.add(weights, mask), replacing: weights) }
    weights = f.local(softmax(weights, to: dtype, like: v, in: &f), replacing: weights)
    if dropout { weights = f.local(f.dropout(weights), replacing: weights) }
    let (castValues, castWeights) = (f.castForProduct(v), f.castForProduct(weights))
    let values = try matrices(castValues, inOrder: repeated, in: &f)
    let product = try f.batchedProduct(
      castWeights, values, columns: valueWidth ?? headWidth, inner: sequence)
    let output = f.local(product)
    let rows = f.local(try rows(output, in: &f), replacing: output)
    let (result, returned) = f.leave(rows, weights)
    return (result, returned)
  }

  /// `repeat_kv`: a copy of the heads, except of a single one, which is expanded without.
  private func repeatHeads(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    if heads == keyHeads { return x }
    return try f.repeatHeads(x, times: heads / keyHeads, copies: keyHeads > 1)
  }

  /// The weights come in the format of the queries, or of the values (GPT-2); under autocast they differ.
  private func softmax(_ scores: Value, to dtype: DType, like v: Value, in f: inout Forward)
    -> Value
  {
    guard plainSoftmax else { return f.softmax(scores, to: dtype) }
    // Autocast runs it in fp32; the cast back is a no-op otherwise.
    let format = f.context.autocast == nil ? scores.spec.dtype : .fp32
    return f.softmax(scores, in: format, to: keepsSoftmax ? format : v.spec.dtype)
  }
}

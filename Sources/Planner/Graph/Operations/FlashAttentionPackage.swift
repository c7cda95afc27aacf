/// FlashAttention 2 as the flash-attn package runs it.
///
/// Source: `FlashAttnFunc` in `flash_attn/flash_attn_interface.py`; `mha_fwd`, `set_params_splitkv` and `mha_bwd` in
/// `csrc/flash_attn/flash_api.cpp`, flash-attn 2.8.3. Its backward is taken not to be deterministic, which is the default.
enum FlashAttentionPackage {
  /// The widest head that it runs.
  static let widestHead = 256
  /// The least compute capability that it runs on, × 10.
  static let leastCapability = 80

  /// The width that heads are padded to.
  static func padded(_ headWidth: Int) -> Int { (headWidth + 7) / 8 * 8 }

  /// The width of sums in fp32 over heads of a padded width.
  static func accumulated(_ width: Int) -> Int {
    let step = width <= 128 ? 32 : 64
    return (width + step - 1) / step * step
  }
}

extension Forward {
  /// `flash_attn_func`: saves q, k, v, the result, the log-sum-exp and the state of the random numbers.
  ///
  /// Heads are padded to whole 8 elements inside: what is saved is padded, and the result is a view of padded rows.
  ///
  /// - Parameters:
  ///   - shape: The dimensions, with heads as wide as they are.
  ///   - transposed: Whether queries, keys and values lie in memory head by head.
  mutating func packagedFlashAttention(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, transposed: Bool
  ) throws(PlanError) -> Value {
    let width = FlashAttentionPackage.padded(shape.headWidth)
    let pads = width != shape.headWidth
    let scores = try checkedProduct(shape.batch, shape.heads, shape.queries, shape.keys)
    let flops = try checkedProduct(shape.causal ? 2 : 4, scores, shape.headWidth)
    begin("FlashAttnFunc", q, k, v)
    work(
      flops: flops, bytes: 2 * q.spec.bytes + k.spec.bytes + v.spec.bytes, dtype: q.spec.dtype)
    let rows = (
      try q.spec.widened(to: width), try k.spec.widened(to: width), try v.spec.widened(to: width)
    )
    // The backward computes five matrix products where the forward computes two.
    gradient(
      0, rows.0, view: pads, flops: try checkedProduct(flops / 2, 5), always: true,
      part: pads ? q.spec.bytes : 0)
    gradient(1, rows.1, view: pads, always: true, part: pads ? k.spec.bytes : 0)
    gradient(2, rows.2, view: pads, always: true, part: pads ? v.spec.bytes : 0)
    try packagedBackward(shape, result: rows.0, pads: pads)
    let inputs = pads ? (register(rows.0), register(rows.1), register(rows.2)) : (q, k, v)
    let output = register(rows.0)
    let matrices = try checkedProduct(shape.batch, shape.heads)
    let sums = register(try TensorSpec(matrices, shape.queries, .fp32))
    let random = register(try TensorSpec(1, 2, .int64))
    record()
    if pads { for value in [inputs.0, inputs.1, inputs.2] { allocate(value) } }
    allocate(output)
    allocate(sums)
    var padded = shape
    padded.headWidth = width
    let parts = try flashSplits(
      padded, sums.spec, width: FlashAttentionPackage.accumulated(width))
    for part in parts { allocate(part, role: .workspace) }
    allocate(random, role: .other)
    for part in parts { discard(part) }
    link(
      output, keeping: [inputs.0, inputs.1, inputs.2, output], and: [sums, random],
      transposed: transposed)
    if pads { for value in [inputs.0, inputs.1, inputs.2] { discard(value) } }
    return Value(register: output.register, spec: q.spec)
  }

  /// What the backward allocates beside the three gradients.
  private mutating func packagedBackward(
    _ shape: AttentionShape, result: TensorSpec, pads: Bool
  ) throws(PlanError) {
    let matrices = try checkedProduct(shape.batch, shape.heads)
    let queries = Self.align(shape.queries, 128)
    let width = FlashAttentionPackage.accumulated(result.columns)
    if pads { temporary(4, result.bytes) }
    temporary(0, try TensorSpec(matrices, queries, .fp32).bytes, role: .workspace)
    temporary(
      1, try TensorSpec(matrices, try checkedProduct(queries, width), .fp32).bytes,
      role: .workspace)
    if shape.heads != shape.keyHeads {
      let expanded = try TensorSpec(
        try checkedProduct(matrices, shape.keys), result.columns, result.dtype)
      temporary(2, expanded.bytes, role: .workspace)
      temporary(3, expanded.bytes, role: .workspace)
      free(2)
      free(3)
    }
    free(1)
    free(0)
    if pads { free(4) }
  }
}

extension TensorSpec {
  /// As many rows of `columns` elements.
  fileprivate func widened(to columns: Int) throws(PlanError) -> TensorSpec {
    try TensorSpec(rows, columns, dtype)
  }
}

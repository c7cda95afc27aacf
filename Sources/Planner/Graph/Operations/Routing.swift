/// Choosing rows, sorting and gathering them: what a mixture of experts does with its tokens.
extension Forward {
  /// `torch.topk(a, k)`: values and indices, which are saved; backward scatters the gradient into zeros.
  mutating func topK(_ a: Value, _ k: Int) throws(PlanError) -> (values: Value, indices: Value) {
    begin("topk", a)
    let values = register(try TensorSpec(a.spec.rows, k, a.spec.dtype))
    let indices = register(try TensorSpec(a.spec.rows, k, .int64))
    work(flops: 0, bytes: a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    record()
    allocate(values)
    allocate(indices, role: .other)
    link(values, saving: 0, alsoSaving: indices)
    return (values, indices)
  }

  /// `a.gather(1, index)`: saves the index; backward adds the gradient into zeros.
  mutating func pickColumns(_ a: Value, at index: Value) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.rows, index.spec.columns, a.spec.dtype)
    begin("gather", a)
    save(index, for: 1)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    gradient(0, a.spec)
    return end(spec)
  }

  /// `a /= a.sum(-1, keepdim=True)`: in place, after a copy of `a` for the gradient of the sum.
  ///
  /// - Parameter guarded: Whether a small number is added to the sum first.
  mutating func normalizeRows(_ a: Value, guarded: Bool = false) throws(PlanError) -> Value {
    begin("sum", a)
    work(flops: 0, bytes: a.spec.bytes, dtype: a.spec.dtype)
    pass(0, view: true)
    // Autocast sums in fp32.
    let wide = context.autocast == nil ? a.spec.dtype : .fp32
    let sum = end(a.spec.perRow.cast(to: wide))
    let total = guarded ? local(addConstant(sum)) : sum
    begin("div_", a, total)
    let copy = register(a.spec)
    save(total, for: .max)
    work(flops: 0, bytes: 3 * a.spec.bytes, dtype: a.spec.dtype)
    let full = a.spec.cast(to: wide)
    temporary(0, full.bytes, for: 0b10)
    temporary(1, full.bytes, for: 0b10)
    temporary(2, a.spec.bytes, for: 0b10)
    gradient(1, full)
    for index in [2, 1, 0] as [UInt8] { free(index, for: 0b10) }
    gradient(0, full)
    settle()
    if wide != a.spec.dtype { convert(0, to: a.spec) }
    reduce(1, to: total.spec, role: .activations)
    allocate(copy, forGradient: true)
    record()
    let output = register(a.spec)
    emit(Instruction(code: .alias, a: output.register, b: a.register))
    link(output, saving: 0, and: [copy])
    return output
  }

  /// `a[index]`: copies of `rows` rows, picked by an index that is saved.
  ///
  /// Backward adds the gradient into zeros: it sorts a copy of the index, in a scratch of its own.
  mutating func gather(_ a: Value, at index: Value, rows: Int) throws(PlanError) -> Value {
    let spec = try TensorSpec(rows, a.spec.columns, a.spec.dtype)
    begin("index", a)
    save(index, for: 1)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    gradient(0, a.spec)
    for number in 0..<4 as Range<UInt8> {
      temporary(number, index.spec.bytes, role: .workspace)
    }
    let scratch = SortScratch.bytes(rows, upTo: 2048, fixed: SortScratch.bounded)
    temporary(4, scratch, role: .workspace)
    for number in 0..<5 as Range<UInt8> { free(number) }
    return end(spec)
  }

  /// `a.masked_fill(mask, 0)`: a copy, or in place; saves the mask; backward fills the gradient.
  mutating func maskedFill(_ a: Value, mask: Value, inPlace: Bool = false) -> Value {
    begin("masked_fill", a)
    save(mask, for: 1)
    work(flops: 0, bytes: 2 * a.spec.bytes, dtype: a.spec.dtype)
    gradient(0, a.spec)
    return inPlace ? endView(a.spec, of: a) : end(a.spec)
  }

  /// `a.view(-1, count, columns).sum(1)`; backward copies the gradient to each of the summed rows.
  mutating func sumOfGroups(_ a: Value, of count: Int) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.rows / max(count, 1), a.spec.columns, a.spec.dtype)
    begin("sum", a)
    work(flops: 0, bytes: a.spec.bytes + spec.bytes, dtype: a.spec.dtype)
    if count == 1 { pass(0, view: true) } else { gradient(0, a.spec) }
    return end(spec)
  }

  /// `torch.sort(ids)`: the sorted ids and the order, neither with a gradient; locals of the frame.
  mutating func sortLocally(_ count: Int) throws(PlanError) -> (sorted: Value, order: Value) {
    let spec = try TensorSpec(count, 1, .int64)
    let sorted = local(plain("sort", spec))
    let order = local(plain("sort", spec))
    let positions = plain("sort", spec)
    let scratch = SortScratch.bytes(count, upTo: 4096, fixed: SortScratch.whole)
    if scratch > 0 {
      discard(plain("sort", try TensorSpec(scratch, 1, .bool), role: .workspace))
    }
    discard(positions)
    return (sorted, order)
  }
}

/// The scratch of CUB's radix sort of 64-bit keys with 64-bit values: a second buffer for both, and histograms.
///
/// The fixed parts were measured with PyTorch 2.11; short arrays are sorted in one block.
enum SortScratch {
  /// Histograms of keys whose 64 bits all count.
  static let whole = 18_943
  /// Histograms of keys below some thousands.
  static let bounded = 6655

  /// Bytes for `count` keys.
  static func bytes(_ count: Int, upTo small: Int, fixed: Int) -> Int {
    guard count > small else { return small == 4096 ? 0 : 1 }
    return 2 &* ((8 &* count &+ 255) / 256 &* 256) &+ fixed
  }
}

/// Rotary position embeddings: the tables of a forward pass and their application to queries and keys.
///
/// Source: `LlamaRotaryEmbedding.forward`, `apply_rotary_pos_emb` and `rotate_half`, transformers 5.17.
enum RotaryEmbedding {
  /// The inverse frequencies, in fp32, and the copy that the module keeps of them.
  static func buffers(width: Int) -> [Int] { [width / 2 * 4, width / 2 * 4] }

  /// Makes the tables `cos` and `sin`, `[sequence, width]` in the format of `dtype`; computed in fp32.
  static func tables(sequence: Int, width: Int, dtype: DType, in f: inout Forward)
    throws(PlanError) -> (cos: Value, sin: Value)
  {
    f.enter("rotary_emb")
    _ = f.local(f.plain("bmm", try TensorSpec(sequence, width / 2, .fp32)))
    let wide = try TensorSpec(sequence, width, .fp32)
    _ = f.local(f.plain("cat", wide))
    func table(_ name: StaticString, _ f: inout Forward) -> Value {
      let raw = f.plain(name, wide)
      let scaled = f.local(f.plain("mul", wide))
      f.discard(raw)
      return scaled
    }
    let cos = table("cos", &f)
    let sin = table("sin", &f)
    guard dtype != .fp32 else { return f.leave(cos, sin) }
    return f.leave(f.plain("to", wide.cast(to: dtype)), f.plain("to", wide.cast(to: dtype)))
  }

  /// Makes the one table of complex numbers, `[sequence, width / 2]`, that DeepSeek V2 has.
  ///
  /// Source: `DeepseekV2RotaryEmbedding.forward`, transformers 5.17.
  static func complexTable(sequence: Int, width: Int, in f: inout Forward) throws(PlanError)
    -> Value
  {
    f.enter("rotary_emb")
    let angles = try TensorSpec(sequence, width / 2, .fp32)
    let complex = try TensorSpec(sequence, width, .fp32)
    _ = f.local(f.plain("bmm", angles))
    let ones = f.plain("ones_like", angles)
    let turns = f.local(f.plain("polar", complex))
    f.discard(ones)
    return f.leave(f.local(f.plain("mul", complex), replacing: turns))
  }

  /// How a family applies the tables.
  enum Form: Sendable {
    /// Over whole heads: Llama.
    case whole
    /// Over whole heads, the result in the format of what went in: OLMo, whose tables are fp32.
    case restored
    /// Over the first columns of each head, joined with the rest even where nothing is left: Phi-3.
    case sliced
  }

  /// Rotates queries and keys; the unrotated ones live until both are done.
  static func apply(
    _ q: Value, _ k: Value, cos: Value, sin: Value, form: Form = .whole, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    f.enter("apply_rotary_pos_emb", holding: q, k)
    switch form {
    case .whole, .restored:
      let rotatedQ = f.local(try rotate(q, cos, sin, &f))
      let rotatedK = f.local(try rotate(k, cos, sin, &f))
      guard form == .restored else { return f.leave(rotatedQ, rotatedK) }
      let restoredQ = f.cast(rotatedQ, to: q.spec.dtype)
      return f.leave(restoredQ, f.cast(rotatedK, to: k.spec.dtype))
    case .sliced:
      let (firstQ, restQ) = try split(q, at: cos.spec.columns, &f)
      let (firstK, restK) = try split(k, at: cos.spec.columns, &f)
      let joinedQ = try f.concatenate(try rotate(firstQ, cos, sin, &f), restQ)
      let rotatedQ = f.local(joinedQ)
      let joinedK = try f.concatenate(try rotate(firstK, cos, sin, &f), restK)
      return f.leave(rotatedQ, f.local(joinedK))
    }
  }

  /// Rotates neighbouring elements of queries and keys, pair by pair.
  ///
  /// Source: `apply_rotary_pos_emb_interleave` of DeepSeek V3, transformers 5.17.
  static func applyToPairs(
    _ q: Value, _ k: Value, cos: Value, sin: Value, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    f.enter("apply_rotary_pos_emb_interleave", holding: q, k)
    let half = cos.spec.columns / 2
    let (cos, sin) = (
      f.local(try f.slice(cos, columns: half)), f.local(try f.slice(sin, columns: half))
    )
    func pairs(_ x: Value, _ f: inout Forward) throws(PlanError) -> (Value, Value) {
      let even = f.local(try f.slice(x, columns: half))
      return (even, f.local(try f.slice(x, columns: half)))
    }
    let (q1, q2) = try pairs(q, &f)
    let (k1, k2) = try pairs(k, &f)
    func turned(_ a: Value, _ b: Value, _ f: inout Forward) throws(PlanError) -> Value {
      let first = try f.subtract(try f.multiply(a, cos), try f.multiply(b, sin))
      let second = try f.add(try f.multiply(b, cos), try f.multiply(a, sin))
      return f.local(try f.concatenate(first, second))
    }
    let rotated = try turned(q1, q2, &f)
    return f.leave(rotated, try turned(k1, k2, &f))
  }

  /// Rotates queries and keys as complex numbers, in fp32.
  ///
  /// Source: `apply_rotary_emb` of DeepSeek V2, transformers 5.17.
  static func applyComplex(_ q: Value, _ k: Value, table: Value, in f: inout Forward) -> (
    Value, Value
  ) {
    f.enter("apply_rotary_emb", holding: q, k)
    let wideQ = f.local(f.cast(q, to: .fp32))
    let wideK = f.local(f.cast(k, to: .fp32))
    let rotated = f.local(f.cast(f.multiplyComplex(wideQ, by: table), to: q.spec.dtype))
    return f.leave(
      rotated, f.local(f.cast(f.multiplyComplex(wideK, by: table), to: k.spec.dtype)))
  }

  /// `x[..., :n], x[..., n:]`.
  private static func split(_ x: Value, at columns: Int, _ f: inout Forward)
    throws(PlanError) -> (Value, Value)
  {
    let first = f.local(try f.slice(x, columns: columns))
    return (first, f.local(try f.slice(x, columns: x.spec.columns - columns)))
  }

  /// Rotates the first `width` elements of each head, and joins them with the rest.
  ///
  /// Source: `apply_rotary_pos_emb` of GPT-NeoX, transformers 5.17.
  static func applyPartly(
    _ q: Value, _ k: Value, cos: Value, sin: Value, width: Int, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    f.enter("apply_rotary_pos_emb", holding: q, k)
    let qTurning = f.local(try f.slice(q, columns: width))
    let qStaying = f.local(try f.slice(q, columns: q.spec.columns - width))
    let kTurning = f.local(try f.slice(k, columns: width))
    let kStaying = f.local(try f.slice(k, columns: k.spec.columns - width))
    var q = f.local(try rotate(qTurning, cos, sin, &f))
    var k = f.local(try rotate(kTurning, cos, sin, &f))
    q = f.local(try f.concatenate(q, qStaying), replacing: q)
    k = f.local(try f.concatenate(k, kStaying), replacing: k)
    return f.leave(q, k)
  }

  /// Computes `x * cos + rotate_half(x) * sin`.
  private static func rotate(_ x: Value, _ cos: Value, _ sin: Value, _ f: inout Forward)
    throws(PlanError) -> Value
  {
    let straight = try f.multiply(x, cos)
    let half = x.spec.columns / 2
    f.enter("rotate_half", holding: x)
    let first = f.local(try f.slice(x, columns: half))
    let second = f.local(try f.slice(x, columns: x.spec.columns - half))
    let turned = f.leave(try f.concatenate(f.negate(second), first))
    return try f.add(straight, try f.multiply(turned, sin))
  }
}

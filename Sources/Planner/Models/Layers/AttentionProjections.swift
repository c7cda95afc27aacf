/// The projections of an attention: makes queries, keys and values, each as rows of one head.
protocol AttentionProjections: Sendable {
  /// The projection of the result.
  var output: Linear { get }
  /// Runs it; the results are locals of the current frame.
  ///
  /// - Parameter copiesValue: Whether the value's gradient arrives in another layout than the projection's.
  func callAsFunction(_ x: Value, copiesValue: Bool, in f: inout Forward)
    throws(PlanError) -> (q: Value, k: Value, v: Value)
}

/// One projection each, and what some families put between projection and rotation.
///
/// Source: `forward` of `LlamaAttention`, `Qwen3Attention`, `Gemma3Attention`, `Olmo2Attention` and
/// `OlmoAttention`, transformers 5.17.
struct SeparateProjections: AttentionProjections {
  /// What happens to queries and keys before the rotation.
  enum Treatment: Sendable {
    case none
    /// A norm over each head, ahead of the transposition: Qwen3.
    case headNorms
    /// A norm over each head, once all three are transposed: Gemma 3.
    case transposedHeadNorms
    /// A norm over all heads together: OLMo 2.
    case rowNorms
    /// Queries, keys and values clamped in place: OLMo.
    case clamps
  }

  private let q: Linear
  private let k: Linear
  private let v: Linear
  let output: Linear
  private let qNorm: RMSNorm?
  private let kNorm: RMSNorm?
  private let treatment: Treatment
  private let headWidth: Int
  private let heads: Int
  private let keyHeads: Int

  /// Declares the projections and norms.
  init(
    _ sizes: DecoderSizes, bias: Bool, outputBias: Bool, treatment: Treatment = .none,
    normForm: RMSNorm.Form = .afterCast, in f: inout Forward
  ) throws(PlanError) {
    self.treatment = treatment
    (headWidth, heads, keyHeads) = (sizes.headWidth, sizes.heads, sizes.keyHeads)
    let queries = try checkedProduct(sizes.heads, sizes.headWidth)
    let keys = try checkedProduct(sizes.keyHeads, sizes.headWidth)
    // A norm over all heads needs all of them on every device.
    let (columns, rows): (Linear.Cut, Linear.Cut) =
      treatment == .rowNorms ? (.gatheredColumns, .splitRows) : (.columns, .rows)
    q = try f.linear(
      "q_proj", weight: "self_attn.q_proj.weight", bias: bias ? "self_attn.q_proj.bias" : nil,
      input: sizes.hidden, output: queries, cut: columns)
    k = try f.linear(
      "k_proj", weight: "self_attn.k_proj.weight", bias: bias ? "self_attn.k_proj.bias" : nil,
      input: sizes.hidden, output: keys, cut: columns)
    v = try f.linear(
      "v_proj", weight: "self_attn.v_proj.weight", bias: bias ? "self_attn.v_proj.bias" : nil,
      input: sizes.hidden, output: keys, cut: columns)
    output = try f.linear(
      "o_proj", weight: "self_attn.o_proj.weight",
      bias: outputBias ? "self_attn.o_proj.bias" : nil, input: queries, output: sizes.hidden,
      cut: rows)
    func norms(_ q: Int, _ k: Int, _ f: inout Forward) throws(PlanError) -> (RMSNorm, RMSNorm) {
      (
        try RMSNorm("q_norm", weight: "self_attn.q_norm.weight", width: q, form: normForm, in: &f),
        try RMSNorm("k_norm", weight: "self_attn.k_norm.weight", width: k, form: normForm, in: &f)
      )
    }
    switch treatment {
    case .none, .clamps: (qNorm, kNorm) = (nil, nil)
    case .headNorms, .transposedHeadNorms: (qNorm, kNorm) = try norms(headWidth, headWidth, &f)
    case .rowNorms: (qNorm, kNorm) = try norms(queries, keys, &f)
    }
  }

  func callAsFunction(_ x: Value, copiesValue: Bool, in f: inout Forward)
    throws(PlanError) -> (q: Value, k: Value, v: Value)
  {
    switch treatment {
    case .none, .headNorms, .rowNorms:
      let queries = f.local(try normed(try f.project(x, q), qNorm, of: heads, &f))
      let keys = f.local(try normed(try f.project(x, k), kNorm, of: keyHeads, &f))
      let values = try f.heads(try f.project(x, v), width: headWidth, copies: copiesValue)
      return (queries, keys, f.local(values))
    case .transposedHeadNorms:
      let queries = f.local(try normed(try f.project(x, q), nil, of: heads, &f))
      let keys = f.local(try normed(try f.project(x, k), nil, of: keyHeads, &f))
      let values = f.local(
        try f.heads(try f.project(x, v), width: headWidth, copies: copiesValue))
      guard let qNorm, let kNorm else { return (queries, keys, values) }
      let normedQueries = f.local(try qNorm(queries, in: &f), replacing: queries)
      return (normedQueries, f.local(try kNorm(keys, in: &f), replacing: keys), values)
    case .clamps:
      let raw = (
        f.local(try f.project(x, q)), f.local(try f.project(x, k)), f.local(try f.project(x, v))
      )
      let (a, b, c) = (
        f.clampInPlace(raw.0), f.clampInPlace(raw.1), f.clampInPlace(raw.2)
      )
      let queries = try f.heads(a, width: headWidth, copies: heads > 1)
      let keys = try f.heads(b, width: headWidth, copies: keyHeads > 1)
      let values = try f.heads(c, width: headWidth, copies: copiesValue)
      return (
        f.local(queries, replacing: raw.0), f.local(keys, replacing: raw.1),
        f.local(values, replacing: raw.2)
      )
    }
  }

  /// The heads of a projection, with the norm that comes before or after the transposition.
  ///
  /// The gradient of a norm over single heads keeps their layout: the view ahead of it is what is copied back.
  private func normed(_ x: Value, _ norm: RMSNorm?, of heads: Int, _ f: inout Forward)
    throws(PlanError) -> Value
  {
    if let norm, treatment == .rowNorms {
      return try f.heads(try norm(x, in: &f), width: headWidth, copies: heads > 1)
    }
    let viewed = try f.heads(x, width: headWidth, copies: heads > 1)
    guard let norm else { return viewed }
    return try norm(viewed, in: &f)
  }
}

/// Self-attention with its projections and rotary embeddings.
///
/// Source: `LlamaAttention.forward`, transformers 5.17.
struct RotaryAttention: SelfAttention {
  let projections: any AttentionProjections
  let attention: CausalAttention
  let form: RotaryEmbedding.Form

  /// What the model hands to each layer of a kind.
  struct Surroundings: Sendable {
    /// The mask, where the kernels need one.
    let mask: Value?
    let cos: Value
    let sin: Value
    /// Keys that a query can see, or `nil` for all before it.
    let window: Int?
    /// Whether the layer has a mixture of experts in place of its MLP.
    var hasMixture = false
  }

  /// Attention over the heads of `sizes`.
  init(
    _ sizes: DecoderSizes, projections: any AttentionProjections, window: Int?,
    capped: Bool = false, form: RotaryEmbedding.Form = .whole
  ) {
    self.projections = projections
    self.form = form
    attention = CausalAttention(
      heads: sizes.heads, keyHeads: sizes.keyHeads, headWidth: sizes.headWidth, window: window,
      capped: capped, dropout: sizes.dropsAttention, contiguousHeads: form == .sliced)
  }

  /// Runs it; the weights come back where attention materialised them.
  func callAsFunction(_ x: Value, _ around: Surroundings, in f: inout Forward)
    throws(PlanError) -> (output: Value, weights: Value?)
  {
    let x = try f.moduleInput(x)
    f.enter("self_attn", holding: x)
    let copiesValue = attention.copiesValueGradient(
      masked: around.mask != nil, dtype: x.spec.dtype, in: f)
    let (q, k, v) = try projections(x, copiesValue: copiesValue, in: &f)
    let layout = GradientLayout(
      copiesQuery: attention.copiesQueryGradient(
        masked: around.mask != nil, dtype: x.spec.dtype, in: f),
      copiesKey: copiesValue)
    let rotated = try f.context.kernelSet.layers.rotate(
      q, k, RotaryTables(cos: around.cos, sin: around.sin, form: form), layout: layout, in: &f)
    let queries = f.local(rotated.0, replacing: q)
    let keys = f.local(rotated.1, replacing: k)
    let (result, weights) = try attention(queries, keys, v, mask: around.mask, in: &f)
    let attended = f.local(result)
    let kept = weights.map { f.local($0) }
    let projected = f.local(try f.project(attended, projections.output), replacing: attended)
    guard let kept else { return (f.leave(projected), nil) }
    return f.leave(projected, kept)
  }
}

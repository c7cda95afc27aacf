/// BLOOM: ALiBi instead of positions, a norm after the embedding; attention is always written out.
///
/// Source: `modeling_bloom.py` and `configuration_bloom.py`, transformers 5.17.
struct Bloom: ModelFamily {
  static let modelType = "bloom"

  private let vocabulary: Int
  private let sizes: HeadSizes
  private let tied: Bool
  private let normedResidual: Bool
  private let dropsAttention: Bool
  private let dropsHidden: Bool

  init(_ config: inout Settings) throws(PlanError) {
    let keys = HeadSizes.Keys(
      hidden: config.has("n_embed") ? "n_embed" : "hidden_size", layers: "n_layer",
      heads: "n_head")
    sizes = try HeadSizes(&config, keys, default: .init(hidden: 64, layers: 2, heads: 8))
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 250_880)
    tied = try config.bool("tie_word_embeddings", default: true)
    normedResidual = try config.bool("apply_residual_connection_post_layernorm", default: false)
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsHidden = try config.drops("hidden_dropout", default: 0)
    try config.refuse("slow_but_exact", "multiplication in slices")
  }

  /// ALiBi, which transformers runs eagerly.
  var runsFlashAttention: Bool { false }

  var linearModules: [String] {
    ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var context = context
    // The model has no fused attention: transformers falls back to eager.
    context.attention = .eager
    var f = Forward(context)
    f.enter("model")
    let (batch, sequence) = (context.batch, context.sequence)
    let tokens = try checkedProduct(batch, sequence)
    let embedding = try f.parameter("word_embeddings.weight", vocabulary, sizes.hidden)
    let embeddingNorm = try LayerNorm(
      "word_embeddings_layernorm", weight: "word_embeddings_layernorm.weight",
      bias: "word_embeddings_layernorm.bias", width: sizes.hidden, in: &f)
    let embedded = f.local(
      try f.embedding(rows: tokens, embedding, module: "word_embeddings"))
    if context.inputRequiresGradient { f.require(embedded) }
    var stream = f.local(try embeddingNorm(embedded, in: &f))
    _ = f.local(f.plain("ones", try TensorSpec(batch, sequence, .fp32)))
    let slopes = try TensorSpec(try checkedProduct(batch, sizes.heads), sequence, stream.spec.dtype)
    let alibi = f.local(f.plain("alibi", slopes))
    var arguments = [alibi]
    let mask = try attention.mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    let layer = try f.layer("h", residual: stream.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, alibi: alibi, mask: mask, in: &f)
    }
    stream = f.layers(stream, keeping: layer)
    let norm = try LayerNorm(
      "ln_f", weight: "ln_f.weight", bias: "ln_f.bias", width: sizes.hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, sizes.hidden)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(program: f.program, pattern: [layer], layers: sizes.layers)
  }

  private var attention: CausalAttention {
    CausalAttention(heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth)
  }

  /// One layer, as `BloomBlock.forward` runs it.
  private func layer(_ x: Value, alibi: Value, mask: Value?, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let hidden = sizes.hidden
    let inputNorm = try LayerNorm(
      "input_layernorm", weight: "input_layernorm.weight", bias: "input_layernorm.bias",
      width: hidden, in: &f)
    let fused = try f.linear(
      "query_key_value", weight: "self_attention.query_key_value.weight",
      bias: "self_attention.query_key_value.bias", input: hidden, output: 3 * hidden)
    let dense = try f.linear(
      "dense", weight: "self_attention.dense.weight", bias: "self_attention.dense.bias",
      input: hidden, output: hidden)
    let postNorm = try LayerNorm(
      "post_attention_layernorm", weight: "post_attention_layernorm.weight",
      bias: "post_attention_layernorm.bias", width: hidden, in: &f)
    let up = try f.linear(
      "dense_h_to_4h", weight: "mlp.dense_h_to_4h.weight", bias: "mlp.dense_h_to_4h.bias",
      input: hidden, output: 4 * hidden)
    let down = try f.linear(
      "dense_4h_to_h", weight: "mlp.dense_4h_to_h.weight", bias: "mlp.dense_4h_to_h.bias",
      input: 4 * hidden, output: hidden)

    f.enter("layer", holding: x)
    var normed = f.local(try inputNorm(x, in: &f))
    f.enter("self_attention", holding: normed)
    let (context, weights) = try attend(try f.project(normed, fused), alibi, mask, in: &f)
    let projected = f.local(try f.project(context, dense))
    let attended = f.returned(
      try addDropped(projected, to: normedResidual ? normed : x, in: &f), weights)
    normed = f.local(try postNorm(attended, in: &f), replacing: normed)

    let residual = normedResidual ? normed : attended
    f.enter("mlp", holding: normed, residual)
    let raised = f.local(try f.bloomGELU(try f.project(normed, up)))
    let lowered = f.local(try f.project(raised, down))
    let output = f.local(f.leave(try addDropped(lowered, to: residual, in: &f)))
    // The model holds what the block returns until the next block has returned.
    return f.leave(output, keeping: weights)
  }

  /// `dropout_add`; its result is a name of the frame.
  private func addDropped(_ x: Value, to residual: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter("dropout_add", holding: x)
    let output = dropsHidden ? f.local(f.dropout(x)) : x
    return f.local(f.leave(try f.add(residual, output)), replacing: x)
  }

  /// From the fused projection to the merged heads; scores come from one product with ALiBi added.
  private func attend(_ projected: Value, _ alibi: Value, _ mask: Value?, in f: inout Forward)
    throws(PlanError) -> (Value, Value)
  {
    let (width, sequence) = (sizes.headWidth, f.context.sequence)
    let fused = f.local(try f.view(projected, columns: 3 * width))
    let q = f.local(try f.slice(fused, columns: width))
    let k = f.local(try f.slice(fused, columns: width))
    let v = f.local(try f.slice(fused, columns: width))
    let queries = f.local(
      try attention.matrices(q, in: &f), replacing: q)
    let keys = f.local(
      try attention.matrices(k, in: &f), replacing: k)
    let values = f.local(
      try attention.matrices(v, in: &f), replacing: v)
    let scores = f.local(
      try f.biasedProduct(alibi, queries, keys, columns: sequence, inner: width))
    let masked = f.local(
      try mask.map { (mask) throws(PlanError) in try f.add(scores, mask) } ?? scores)
    var weights = f.local(f.softmax(masked, to: queries.spec.dtype))
    if dropsAttention { weights = f.local(f.dropout(weights), replacing: weights) }
    let (castValues, castWeights) = (f.castForProduct(values), f.castForProduct(weights))
    let product = f.local(
      try f.batchedProduct(castWeights, castValues, columns: width, inner: sequence))
    let rows = try f.heads(product, width: width, copies: f.context.batch > 1)
    return (f.local(try f.contiguous(rows, columns: sizes.hidden), replacing: product), weights)
  }
}

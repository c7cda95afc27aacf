/// GPT-NeoX and Pythia: attention and MLP side by side, rotary embeddings on a part of each head.
///
/// Source: `modeling_gpt_neox.py` and `configuration_gpt_neox.py`, transformers 5.17.
struct GPTNeoX: ModelFamily {
  static let modelType = "gpt_neox"

  private let vocabulary: Int
  private let sizes: HeadSizes
  private let intermediate: Int
  private let rotated: Int
  private let activation: Activation
  private let tied: Bool
  private let bias: Bool
  private let parallel: Bool
  private let dropsAttention: Bool
  private let dropsHidden: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 6144, layers: 44, heads: 64))
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 50_432)
    intermediate = try config.integer("intermediate_size", in: 1...10_000_000, default: 24_576)
    rotated = try sizes.rotated(&config, "rotary_pct", default: 0.25)
    activation = try config.choice("hidden_act", default: .gelu)
    tied = try config.bool("tie_word_embeddings", default: false)
    bias = try config.bool("attention_bias", default: true)
    parallel = try config.bool("use_parallel_residual", default: true)
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsHidden = try config.drops("hidden_dropout", default: 0)
  }

  var cutsMatrices: Bool { true }
  var tiesHead: Bool { tied }
  var linearModules: [String] {
    ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    try context.mesh.checkPlan(vocabulary: vocabulary)
    let isCut = context.mesh.tensor > 1
    let embedding = try f.vocabularyTable(
      "embed_in.weight", vocabulary, sizes.hidden, cut: tied && isCut)
    let embedded = f.local(
      try f.tokenRows(
        tokens, embedding, vocabulary: vocabulary, cut: tied && isCut, module: "embed_in"))
    if context.inputRequiresGradient { f.require(embedded) }
    let positions = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    var arguments = [positions]
    let mask = try attention(context.mesh).mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    var stream = f.local(dropsHidden ? f.dropout(embedded) : f.alias(embedded))
    let (cosine, sine) = try RotaryEmbedding.tables(
      sequence: context.sequence, width: rotated, dtype: context.dtype, in: &f)
    let (cos, sin) = (f.local(cosine), f.local(sine))
    arguments += [cos, sin]
    let layer = try f.layer("layers", residual: embedded.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, cos: cos, sin: sin, in: &f)
    }
    stream = f.layers(stream)
    let norm = try LayerNorm(
      "final_layer_norm", weight: "final_layer_norm.weight", bias: "final_layer_norm.bias",
      width: sizes.hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head =
      tied
      ? embedding
      : try f.vocabularyTable("embed_out.weight", vocabulary, sizes.hidden, cut: isCut)
    let (loss, logits) = try CausalHead.loss(
      stream, weight: head, vocabulary: vocabulary, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      buffers: RotaryEmbedding.buffers(width: rotated))
  }

  /// Attention of a device's heads.
  private func attention(_ mesh: Mesh) throws(PlanError) -> CausalAttention {
    CausalAttention(
      heads: try mesh.part(of: sizes.heads, "attention heads"),
      keyHeads: try mesh.part(of: sizes.heads, "attention heads"), headWidth: sizes.headWidth,
      dropout: dropsAttention, contiguousHeads: true)
  }

  /// One layer, as `GPTNeoXLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value?, cos: Value, sin: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let hidden = sizes.hidden
    let attention = try self.attention(f.context.mesh)
    let width = sizes.headWidth
    let own = try checkedProduct(attention.heads, width)
    let columns = try f.context.mesh.part(of: intermediate, "columns of the MLP")
    let inputNorm = try LayerNorm(
      "input_layernorm", weight: "input_layernorm.weight", bias: "input_layernorm.bias",
      width: hidden, in: &f)
    let postNorm = try LayerNorm(
      "post_attention_layernorm", weight: "post_attention_layernorm.weight",
      bias: "post_attention_layernorm.bias", width: hidden, in: &f)
    let fused = try f.linear(
      "query_key_value", weight: "attention.query_key_value.weight",
      bias: bias ? "attention.query_key_value.bias" : nil, input: hidden, output: 3 * own,
      cut: .columns)
    let dense = try f.linear(
      "dense", weight: "attention.dense.weight", bias: bias ? "attention.dense.bias" : nil,
      input: own, output: hidden, cut: .rows)
    let mlp = PlainMLP(
      first: try f.linear(
        "dense_h_to_4h", weight: "mlp.dense_h_to_4h.weight", bias: "mlp.dense_h_to_4h.bias",
        input: hidden, output: columns, cut: .columns),
      second: try f.linear(
        "dense_4h_to_h", weight: "mlp.dense_4h_to_h.weight", bias: "mlp.dense_4h_to_h.bias",
        input: columns, output: hidden, cut: .rows),
      activation: activation)

    f.enter("layer", holding: x)
    let normed = try inputNorm(x, in: &f)
    f.enter("attention", holding: normed, cos, sin)
    let rows = try f.heads(
      try f.project(normed, fused), width: 3 * sizes.headWidth, copies: true)
    let parts = try f.split(f.local(rows), width, width, width)
    let values = f.local(parts.2)
    var (queries, keys) = (f.local(parts.0), f.local(parts.1))
    let turned = try RotaryEmbedding.applyPartly(
      queries, keys, cos: cos, sin: sin, width: rotated, in: &f)
    queries = f.local(turned.0, replacing: queries)
    keys = f.local(turned.1, replacing: keys)
    let (attended, weights) = try attention(queries, keys, values, mask: mask, in: &f)
    let output = f.local(attended)
    let kept = weights.map { f.local($0) }
    let projected = f.local(try f.project(output, dense), replacing: output)
    var attentionOutput = f.returned(projected, kept)
    if dropsHidden {
      attentionOutput = f.local(f.dropout(attentionOutput), replacing: attentionOutput)
    }
    if !parallel {
      attentionOutput = f.local(try f.add(attentionOutput, x), replacing: attentionOutput)
    }
    var fed = f.local(try mlp(try postNorm(parallel ? x : attentionOutput, in: &f), in: &f))
    if dropsHidden { fed = f.local(f.dropout(fed), replacing: fed) }
    let sum = try f.add(fed, attentionOutput)
    return f.leave(f.local(parallel ? try f.add(sum, x) : sum))
  }
}

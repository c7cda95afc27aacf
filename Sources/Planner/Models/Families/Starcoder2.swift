/// StarCoder2: Llama's attention with layer norms, biases, a plain MLP and dropouts.
///
/// Source: `modeling_starcoder2.py` and `configuration_starcoder2.py`, transformers 5.17.
struct Starcoder2: ModelFamily {
  static let modelType = "starcoder2"

  private let vocabulary: Int
  private let sizes: HeadSizes
  private let keyHeads: Int
  private let intermediate: Int
  private let window: Int?
  private let activation: Activation
  private let tied: Bool
  private let bias: Bool
  private let dropsAttention: Bool
  private let dropsEmbedding: Bool
  private let dropsResidual: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 3072, layers: 30, heads: 24))
    keyHeads = try sizes.keyHeads(&config, default: 2)
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 49_152)
    intermediate = try config.integer("intermediate_size", in: 1...10_000_000, default: 12_288)
    window = try config.optionalInteger("sliding_window", in: 1...1_000_000_000)
    activation = try config.choice("hidden_act", default: .tanhGELU)
    tied = try config.bool("tie_word_embeddings", default: true)
    bias = try config.bool("use_bias", default: true)
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsEmbedding = try config.drops("embedding_dropout", default: 0)
    dropsResidual = try config.drops("residual_dropout", default: 0)
    _ = try sizes.rotated(&config, "partial_rotary_factor", default: 1)
  }

  var cutsMatrices: Bool { true }
  var tiesHead: Bool { tied }
  var linearModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj", "c_fc", "c_proj"] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    try context.mesh.checkPlan(vocabulary: vocabulary)
    let isCut = context.mesh.tensor > 1
    let embedding = try f.vocabularyTable(
      "embed_tokens.weight", vocabulary, sizes.hidden, cut: tied && isCut)
    let embedded = f.local(
      try f.tokenRows(
        tokens, embedding, vocabulary: vocabulary, cut: tied && isCut))
    if context.inputRequiresGradient { f.require(embedded) }
    let positions = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    var arguments = [positions]
    let mask = try attention(context.mesh).mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    var stream = f.local(dropsEmbedding ? f.dropout(embedded) : f.alias(embedded))
    let (cosine, sine) = try RotaryEmbedding.tables(
      sequence: context.sequence, width: sizes.headWidth, dtype: context.dtype, in: &f)
    let (cos, sin) = (f.local(cosine), f.local(sine))
    arguments += [cos, sin]
    let layer = try f.layer("layers", residual: embedded.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, cos: cos, sin: sin, in: &f)
    }
    stream = f.layers(stream)
    let norm = try LayerNorm(
      "norm", weight: "norm.weight", bias: "norm.bias", width: sizes.hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head =
      tied
      ? embedding
      : try f.vocabularyTable("lm_head.weight", vocabulary, sizes.hidden, cut: isCut)
    let (loss, logits) = try CausalHead.loss(
      stream, weight: head, vocabulary: vocabulary, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      buffers: RotaryEmbedding.buffers(width: sizes.headWidth))
  }

  /// Attention of a device's heads.
  private func attention(_ mesh: Mesh) throws(PlanError) -> CausalAttention {
    CausalAttention(
      heads: try mesh.part(of: sizes.heads, "attention heads"),
      keyHeads: try mesh.part(of: keyHeads, "key/value heads"), headWidth: sizes.headWidth,
      window: window,
      dropout: dropsAttention)
  }

  /// One layer, as `Starcoder2DecoderLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value?, cos: Value, sin: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let (hidden, width) = (sizes.hidden, sizes.headWidth)
    let attention = try self.attention(f.context.mesh)
    let queryColumns = try checkedProduct(attention.heads, width)
    let keyColumns = try checkedProduct(attention.keyHeads, width)
    let columns = try f.context.mesh.part(of: intermediate, "columns of the MLP")
    let q = try f.linear(
      "q_proj", weight: "self_attn.q_proj.weight", bias: bias ? "self_attn.q_proj.bias" : nil,
      input: hidden, output: queryColumns, cut: .columns)
    let k = try f.linear(
      "k_proj", weight: "self_attn.k_proj.weight", bias: bias ? "self_attn.k_proj.bias" : nil,
      input: hidden, output: keyColumns, cut: .columns)
    let v = try f.linear(
      "v_proj", weight: "self_attn.v_proj.weight", bias: bias ? "self_attn.v_proj.bias" : nil,
      input: hidden, output: keyColumns, cut: .columns)
    let o = try f.linear(
      "o_proj", weight: "self_attn.o_proj.weight", bias: bias ? "self_attn.o_proj.bias" : nil,
      input: queryColumns, output: hidden, cut: .rows)
    let mlp = PlainMLP(
      first: try f.linear(
        "c_fc", weight: "mlp.c_fc.weight", bias: bias ? "mlp.c_fc.bias" : nil, input: hidden,
        output: columns, cut: .columns),
      second: try f.linear(
        "c_proj", weight: "mlp.c_proj.weight", bias: bias ? "mlp.c_proj.bias" : nil,
        input: columns, output: hidden, cut: .rows), activation: activation, dropout: dropsResidual)
    let inputNorm = try LayerNorm(
      "input_layernorm", weight: "input_layernorm.weight", bias: "input_layernorm.bias",
      width: hidden, in: &f)
    let postNorm = try LayerNorm(
      "post_attention_layernorm", weight: "post_attention_layernorm.weight",
      bias: "post_attention_layernorm.bias", width: hidden, in: &f)

    f.enter("layer")
    var residual = f.local(x)
    var stream = f.local(try inputNorm(x, in: &f))

    f.enter("self_attn", holding: stream, cos, sin)
    let copiesValue = attention.copiesValueGradient(
      masked: mask != nil, dtype: stream.spec.dtype, in: f)
    var queries = f.local(try f.heads(try f.project(stream, q), width: width, copies: true))
    var keys = f.local(try f.heads(try f.project(stream, k), width: width, copies: true))
    let values = f.local(try f.heads(try f.project(stream, v), width: width, copies: copiesValue))
    let turned = try RotaryEmbedding.apply(queries, keys, cos: cos, sin: sin, in: &f)
    queries = f.local(turned.0, replacing: queries)
    keys = f.local(turned.1, replacing: keys)
    let (attended, weights) = try attention(queries, keys, values, mask: mask, in: &f)
    let output = f.local(attended)
    let kept = weights.map { f.local($0) }
    var projected = f.local(try f.project(output, o), replacing: output)
    if dropsResidual { projected = f.local(f.dropout(projected), replacing: projected) }
    let attentionOutput = f.returned(projected, kept)
    f.forget(stream)

    stream = f.local(try f.add(residual, attentionOutput), replacing: attentionOutput)
    residual = f.local(stream, replacing: residual)
    stream = f.local(try postNorm(stream, in: &f), replacing: stream)
    stream = f.local(try mlp(stream, in: &f), replacing: stream)
    stream = f.local(try f.add(residual, stream), replacing: stream)
    return f.leave(stream)
  }
}

/// Phi-1 and Phi-2: attention and MLP side by side after one norm, rotary embeddings on a part of each head.
///
/// Source: `modeling_phi.py` and `configuration_phi.py`, transformers 5.17.
struct Phi: ModelFamily {
  static let modelType = "phi"

  private let vocabulary: Int
  private let sizes: HeadSizes
  private let keyHeads: Int
  private let intermediate: Int
  private let rotated: Int
  private let activation: Activation
  private let tied: Bool
  private let dropsAttention: Bool
  private let dropsEmbedding: Bool
  private let dropsResidual: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 2048, layers: 24, heads: 32))
    keyHeads = try sizes.keyHeads(&config)
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 51_200)
    intermediate = try config.integer("intermediate_size", in: 1...10_000_000, default: 8192)
    rotated = try sizes.rotated(&config, "partial_rotary_factor", default: 0.5)
    activation = try config.choice("hidden_act", default: .newGELU)
    tied = try config.bool("tie_word_embeddings", default: false)
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsEmbedding = try config.drops("embd_pdrop", default: 0)
    dropsResidual = try config.drops("resid_pdrop", default: 0)
    try config.refuse("qk_layernorm", "a norm over each query and key head of phi")
  }

  var linearModules: [String] { ["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    let embedding = try f.parameter("embed_tokens.weight", vocabulary, sizes.hidden)
    var embedded = f.local(try f.embedding(rows: tokens, embedding))
    if context.inputRequiresGradient { f.require(embedded) }
    let positions = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    var arguments = [positions]
    let mask = try attention.mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    if dropsEmbedding { embedded = f.local(f.dropout(embedded), replacing: embedded) }
    let (cosine, sine) = try RotaryEmbedding.tables(
      sequence: context.sequence, width: rotated, dtype: context.dtype, in: &f)
    let (cos, sin) = (f.local(cosine), f.local(sine))
    arguments += [cos, sin]
    let layer = try f.layer("layers", residual: embedded.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, cos: cos, sin: sin, in: &f)
    }
    var stream = f.layers(f.local(f.alias(embedded)))
    let norm = try LayerNorm(
      "final_layernorm", weight: "final_layernorm.weight", bias: "final_layernorm.bias",
      width: sizes.hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, sizes.hidden)
    let headBias = try f.parameter("lm_head.bias", 1, vocabulary)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, bias: headBias, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      buffers: RotaryEmbedding.buffers(width: rotated))
  }

  private var attention: CausalAttention {
    CausalAttention(
      heads: sizes.heads, keyHeads: keyHeads, headWidth: sizes.headWidth,
      dropout: dropsAttention, contiguousHeads: true)
  }

  /// One layer, as `PhiDecoderLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value?, cos: Value, sin: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let (hidden, width) = (sizes.hidden, sizes.headWidth)
    let q = try f.linear(
      "q_proj", weight: "self_attn.q_proj.weight", bias: "self_attn.q_proj.bias",
      input: hidden, output: hidden)
    let k = try f.linear(
      "k_proj", weight: "self_attn.k_proj.weight", bias: "self_attn.k_proj.bias",
      input: hidden, output: keyHeads * width)
    let v = try f.linear(
      "v_proj", weight: "self_attn.v_proj.weight", bias: "self_attn.v_proj.bias",
      input: hidden, output: keyHeads * width)
    let dense = try f.linear(
      "dense", weight: "self_attn.dense.weight", bias: "self_attn.dense.bias", input: hidden,
      output: hidden)
    let mlp = PlainMLP(
      first: try f.linear(
        "fc1", weight: "mlp.fc1.weight", bias: "mlp.fc1.bias", input: hidden,
        output: intermediate),
      second: try f.linear(
        "fc2", weight: "mlp.fc2.weight", bias: "mlp.fc2.bias", input: intermediate,
        output: hidden), activation: activation)
    let inputNorm = try LayerNorm(
      "input_layernorm", weight: "input_layernorm.weight", bias: "input_layernorm.bias",
      width: hidden, in: &f)

    f.enter("layer")
    let residual = f.local(x)
    let stream = f.local(try inputNorm(x, in: &f))

    f.enter("self_attn", holding: stream)
    var queries = f.local(try f.heads(try f.project(stream, q), width: width, copies: true))
    var keys = f.local(try f.heads(try f.project(stream, k), width: width, copies: true))
    let copiesValue = attention.copiesValueGradient(
      masked: mask != nil, dtype: stream.spec.dtype, in: f)
    let values = f.local(try f.heads(try f.project(stream, v), width: width, copies: copiesValue))
    let queryTurning = f.local(try f.slice(queries, columns: rotated))
    let queryStaying = f.local(try f.slice(queries, columns: width - rotated))
    let keyTurning = f.local(try f.slice(keys, columns: rotated))
    let keyStaying = f.local(try f.slice(keys, columns: width - rotated))
    let turned = try RotaryEmbedding.apply(queryTurning, keyTurning, cos: cos, sin: sin, in: &f)
    let queryTurned = f.local(turned.0, replacing: queryTurning)
    let keyTurned = f.local(turned.1, replacing: keyTurning)
    queries = f.local(try f.concatenate(queryTurned, queryStaying), replacing: queries)
    keys = f.local(try f.concatenate(keyTurned, keyStaying), replacing: keys)
    let (attended, weights) = try attention(queries, keys, values, mask: mask, in: &f)
    let output = f.local(attended)
    let kept = weights.map { f.local($0) }
    let projected = f.local(try f.project(output, dense), replacing: output)
    var attentionOutput = f.returned(projected, kept)

    if dropsResidual {
      attentionOutput = f.local(f.dropout(attentionOutput), replacing: attentionOutput)
    }
    let fed = try mlp(stream, in: &f)
    let fedForward = f.local(dropsResidual ? f.dropout(fed) : fed)
    let sum = try f.add(try f.add(attentionOutput, fedForward), residual)
    return f.leave(f.local(sum, replacing: stream))
  }
}

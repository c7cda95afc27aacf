/// The Llama lineage: pre-norm layers of rotary attention with grouped heads and a gated MLP.
///
/// Source: `modeling_llama.py`, `modeling_mistral.py`, `modeling_qwen2.py`, `modeling_qwen3.py`, transformers 5.17.
struct Llama: ModelFamily {
  static let modelType = "llama"

  var vocabulary = 32_000
  var hidden = 4096
  var intermediate = 11_008
  var layers = 32
  var heads = 32
  var keyHeads = 32
  var headWidth = 128
  var tied = false
  /// Biases of the q, k and v projections.
  var inputBias = false
  /// A bias of the output projection.
  var outputBias = false
  /// Biases of the MLP.
  var mlpBias = false
  /// Norms over each query and key head.
  var headNorms = false
  /// Keys that a query can see, or `nil` for all before it.
  var window: Int?

  init(_ config: inout Settings) throws(PlanError) {
    try read(&config, Defaults(keyHeads: nil))
    let bias = try config.bool("attention_bias", default: false)
    inputBias = bias
    outputBias = bias
    mlpBias = try config.bool("mlp_bias", default: false)
  }

  /// The sizes that the whole lineage shares.
  init(_ config: inout Settings, _ defaults: Defaults) throws(PlanError) {
    try read(&config, defaults)
  }

  var linearModules: [String] {
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    let embedding = try f.parameter("embed_tokens.weight", vocabulary, hidden)
    let embedded = f.local(try f.embedding(rows: tokens, embedding))
    if context.inputRequiresGradient { f.require(embedded) }
    let positions = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    var arguments = [positions]
    let mask = try attention.mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    let tableType = context.autocast == nil ? context.dtype : .fp32
    let (cosine, sine) = try RotaryEmbedding.tables(
      sequence: context.sequence, width: headWidth, dtype: tableType, in: &f)
    let (cos, sin) = (f.local(cosine), f.local(sine))
    arguments += [cos, sin]
    let layer = try f.layer("layers", residual: embedded.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, cos: cos, sin: sin, in: &f)
    }
    var stream = f.layers(f.local(f.alias(embedded)))
    let norm = try RMSNorm("norm", weight: "norm.weight", width: hidden, in: &f)
    stream = f.local(try norm(stream, in: &f), replacing: stream)
    stream = f.leave(stream)
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, hidden)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: layers,
      buffers: RotaryEmbedding.buffers(width: headWidth))
  }

  private var attention: CausalAttention {
    CausalAttention(heads: heads, keyHeads: keyHeads, headWidth: headWidth, window: window)
  }

  /// One layer, as `LlamaDecoderLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value?, cos: Value, sin: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let q = try f.linear(
      "q_proj", weight: "self_attn.q_proj.weight", bias: inputBias ? "self_attn.q_proj.bias" : nil,
      input: hidden, output: heads * headWidth)
    let k = try f.linear(
      "k_proj", weight: "self_attn.k_proj.weight", bias: inputBias ? "self_attn.k_proj.bias" : nil,
      input: hidden, output: keyHeads * headWidth)
    let v = try f.linear(
      "v_proj", weight: "self_attn.v_proj.weight", bias: inputBias ? "self_attn.v_proj.bias" : nil,
      input: hidden, output: keyHeads * headWidth)
    let o = try f.linear(
      "o_proj", weight: "self_attn.o_proj.weight",
      bias: outputBias ? "self_attn.o_proj.bias" : nil, input: heads * headWidth, output: hidden)
    let qNorm =
      headNorms
      ? try RMSNorm("q_norm", weight: "self_attn.q_norm.weight", width: headWidth, in: &f) : nil
    let kNorm =
      headNorms
      ? try RMSNorm("k_norm", weight: "self_attn.k_norm.weight", width: headWidth, in: &f) : nil
    let mlp = try GatedMLP(hidden: hidden, intermediate: intermediate, bias: mlpBias, in: &f)
    let inputNorm = try RMSNorm(
      "input_layernorm", weight: "input_layernorm.weight", width: hidden, in: &f)
    let postNorm = try RMSNorm(
      "post_attention_layernorm", weight: "post_attention_layernorm.weight", width: hidden, in: &f)

    f.enter("layer")
    var residual = f.local(x)
    var stream = f.local(try inputNorm(x, in: &f))

    f.enter("self_attn", holding: stream)
    func split(_ x: Value, norm: RMSNorm?, copies: Bool, _ f: inout Forward)
      throws(PlanError) -> Value
    {
      // With a norm over the heads, its gradient keeps the heads' layout: the view ahead of it is copied back.
      let viewed = try f.heads(x, width: headWidth, copies: copies)
      guard let norm else { return viewed }
      return try norm(viewed, in: &f)
    }
    let copiesValue = attention.copiesValueGradient(
      masked: mask != nil, dtype: stream.spec.dtype, in: f)
    var queries = f.local(try split(try f.project(stream, q), norm: qNorm, copies: heads > 1, &f))
    var keys = f.local(try split(try f.project(stream, k), norm: kNorm, copies: keyHeads > 1, &f))
    let values = f.local(try split(try f.project(stream, v), norm: nil, copies: copiesValue, &f))
    let rotated = try RotaryEmbedding.apply(queries, keys, cos: cos, sin: sin, in: &f)
    queries = f.local(rotated.0, replacing: queries)
    keys = f.local(rotated.1, replacing: keys)
    let (attended, weights) = try attention(queries, keys, values, mask: mask, in: &f)
    let output = f.local(attended)
    let weightsLocal = weights.map { f.local($0) }
    let projected = f.local(try f.project(output, o), replacing: output)
    if let weightsLocal {
      let (result, kept) = f.leave(projected, weightsLocal)
      stream = f.local(result, replacing: stream)
      _ = f.local(kept)
    } else {
      stream = f.local(f.leave(projected), replacing: stream)
    }

    stream = f.local(try f.add(residual, stream), replacing: stream)
    residual = f.local(stream, replacing: residual)
    stream = f.local(try postNorm(stream, in: &f), replacing: stream)
    stream = f.local(try mlp(stream, in: &f), replacing: stream)
    stream = f.local(try f.add(residual, stream), replacing: stream)
    return f.leave(stream)
  }

  /// What a config that leaves a key out means, where the lineage differs.
  struct Defaults {
    var vocabulary = 32_000
    var hidden = 4096
    var intermediate = 11_008
    var layers = 32
    var heads = 32
    /// `nil`: as many as query heads.
    var keyHeads: Int?
    /// `nil`: hidden ÷ heads.
    var headWidth: Int?
  }

  private mutating func read(_ config: inout Settings, _ defaults: Defaults) throws(PlanError) {
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: defaults.vocabulary)
    hidden = try config.integer("hidden_size", in: 1...1_000_000, default: defaults.hidden)
    intermediate = try config.integer(
      "intermediate_size", in: 1...10_000_000, default: defaults.intermediate)
    layers = try config.integer("num_hidden_layers", in: 1...100_000, default: defaults.layers)
    heads = try config.integer("num_attention_heads", in: 1...100_000, default: defaults.heads)
    keyHeads =
      try config.optionalInteger("num_key_value_heads", in: 1...100_000)
      ?? defaults.keyHeads ?? heads
    let explicit = try config.optionalInteger("head_dim", in: 2...100_000) ?? defaults.headWidth
    if explicit == nil, hidden % heads != 0 {
      throw PlanError(
        .invalid, "\(heads) attention heads do not divide a hidden size of \(hidden)",
        path: config.place("num_attention_heads"),
        fix: "Choose a number of heads that divides hidden_size, or give head_dim.")
    }
    headWidth = explicit ?? hidden / heads
    guard heads % keyHeads == 0 else {
      throw PlanError(
        .invalid, "\(keyHeads) key/value heads do not divide \(heads) attention heads",
        path: config.place("num_key_value_heads"),
        fix: "Choose a number that divides num_attention_heads.")
    }
    guard headWidth % 2 == 0 else {
      throw PlanError(
        .invalid, "rotary embeddings need an even head size, found \(headWidth)",
        path: config.place("head_dim"), fix: "Choose an even head_dim.")
    }
    tied = try config.bool("tie_word_embeddings", default: false)
  }
}

/// Falcon: multi-query attention beside the MLP (7B), or grouped heads with two norms (40B, 180B).
///
/// Source: `modeling_falcon.py` and `configuration_falcon.py`, transformers 5.17.
struct Falcon: ModelFamily {
  static let modelType = "falcon"

  private let vocabulary: Int
  private let sizes: HeadSizes
  private let grouping: FalconAttention.Grouping
  private let intermediate: Int
  private let activation: Activation
  private let tied: Bool
  private let bias: Bool
  private let parallel: Bool
  private let twoNorms: Bool
  private let dropsAttention: Bool
  private let dropsHidden: Bool

  init(_ config: inout Settings) throws(PlanError) {
    let keys = HeadSizes.Keys(hidden: config.has("n_embed") ? "n_embed" : "hidden_size")
    sizes = try HeadSizes(&config, keys, default: .init(hidden: 4544, layers: 32, heads: 71))
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 65_024)
    intermediate =
      try config.optionalInteger("ffn_hidden_size", in: 1...10_000_000) ?? 4 * sizes.hidden
    activation = try config.choice("activation", default: .gelu)
    tied = try config.bool("tie_word_embeddings", default: true)
    bias = try config.bool("bias", default: false)
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsHidden = try config.drops("hidden_dropout", default: 0)
    parallel = try config.bool("parallel_attn", default: true)
    try config.refuse("alibi", "ALiBi in falcon")
    _ = try sizes.rotated(&config, "partial_rotary_factor", default: 1)
    let grouped = try config.bool("new_decoder_architecture", default: false)
    let norms = try config.optionalInteger("num_ln_in_parallel_attn", in: 1...2)
    twoNorms = grouped && norms != 1
    grouping = try Self.grouping(&config, sizes, grouped: grouped)
    if grouped, !parallel {
      throw PlanError(
        .invalid, "the new decoder architecture of falcon is parallel only",
        path: config.place("parallel_attn"), fix: "Set it to true, or leave it out.")
    }
  }

  private static func grouping(_ config: inout Settings, _ sizes: HeadSizes, grouped: Bool)
    throws(PlanError) -> FalconAttention.Grouping
  {
    let shared = try config.bool("multi_query", default: true)
    let keyHeads = try config.integer(
      "num_kv_heads", in: 1...100_000, default: sizes.heads)
    guard grouped else { return shared ? .shared : .full }
    guard sizes.heads % keyHeads == 0 else {
      throw PlanError(
        .invalid, "\(keyHeads) key/value heads do not divide \(sizes.heads) attention heads",
        path: config.place("num_kv_heads"),
        fix: "Choose a number that divides num_attention_heads.")
    }
    return .grouped(keyHeads)
  }

  /// transformers runs it by a module of its own.
  var runsFlashAttention: Bool { false }

  var linearModules: [String] {
    ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    let embedding = try f.parameter("word_embeddings.weight", vocabulary, sizes.hidden)
    let embedded = f.local(
      try f.embedding(rows: tokens, embedding, module: "word_embeddings"))
    if context.inputRequiresGradient { f.require(embedded) }
    let positions = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    let mask = f.local(try attention.mask(in: &f))
    let (cosine, sine) = try RotaryEmbedding.tables(
      sequence: context.sequence, width: sizes.headWidth, dtype: context.dtype, in: &f)
    let (cos, sin) = (f.local(cosine), f.local(sine))
    let layer = try f.layer(
      "h", residual: embedded.spec, arguments: [positions, mask, cos, sin]
    ) { (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, cos: cos, sin: sin, in: &f)
    }
    var stream = f.layers(f.local(f.alias(embedded)), keeping: layer)
    let norm = try LayerNorm(
      "ln_f", weight: "ln_f.weight", bias: "ln_f.bias", width: sizes.hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, sizes.hidden)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      buffers: RotaryEmbedding.buffers(width: sizes.headWidth))
  }

  private var attention: FalconAttention {
    FalconAttention(heads: sizes.heads, headWidth: sizes.headWidth, grouping: grouping)
  }

  /// One layer, as `FalconDecoderLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value, cos: Value, sin: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let hidden = sizes.hidden
    func linear(
      _ module: StaticString, _ weight: StaticString, _ bias: StaticString, _ input: Int,
      _ output: Int, _ f: inout Forward
    ) throws(PlanError) -> Linear {
      try f.linear(
        module, weight: weight, bias: self.bias ? bias : nil, input: input, output: output,
        form: .matmul)
    }
    let fused = try linear(
      "query_key_value", "self_attention.query_key_value.weight",
      "self_attention.query_key_value.bias", hidden, attention.fusedWidth, &f)
    let dense = try linear(
      "dense", "self_attention.dense.weight", "self_attention.dense.bias", hidden, hidden, &f)
    let mlp = PlainMLP(
      first: try linear(
        "dense_h_to_4h", "mlp.dense_h_to_4h.weight", "mlp.dense_h_to_4h.bias", hidden,
        intermediate, &f),
      second: try linear(
        "dense_4h_to_h", "mlp.dense_4h_to_h.weight", "mlp.dense_4h_to_h.bias", intermediate,
        hidden, &f), activation: activation)
    let firstNorm = try LayerNorm(
      twoNorms ? "ln_attn" : "input_layernorm", weight: "input_layernorm.weight",
      bias: "input_layernorm.bias", width: hidden, in: &f)
    let secondNorm =
      twoNorms || !parallel
      ? try LayerNorm(
        twoNorms ? "ln_mlp" : "post_attention_layernorm",
        weight: "post_attention_layernorm.weight", bias: "post_attention_layernorm.bias",
        width: hidden, in: &f) : nil

    f.enter("layer", holding: x)
    var residual = x
    let normed = f.local(try firstNorm(x, in: &f))
    var raised = normed
    if twoNorms, let secondNorm { raised = f.local(try secondNorm(x, in: &f)) }
    f.enter("self_attention", holding: normed)
    let (rows, weights) = try attention(
      f.local(try f.project(normed, fused)), mask: mask, cos: cos, sin: sin, in: &f)
    let attended = f.returned(f.local(try f.project(rows, dense), replacing: rows), weights)
    if !parallel, let secondNorm {
      residual = f.local(try f.add(residual, dropsAttention ? f.dropout(attended) : attended))
      raised = f.local(try secondNorm(residual, in: &f))
    }
    var output = f.local(try mlp(raised, in: &f))
    if parallel { output = f.local(f.addInPlace(output, attended), replacing: output) }
    let sum = try f.add(residual, dropsHidden ? f.dropout(output) : output)
    return f.leave(f.local(sum), keeping: weights)
  }
}

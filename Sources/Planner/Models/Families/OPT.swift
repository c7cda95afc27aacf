/// OPT: learned positions, layer norms before or after each block, ReLU, biases and dropouts.
///
/// Source: `modeling_opt.py` and `configuration_opt.py`, transformers 5.17.
struct OPT: ModelFamily {
  static let modelType = "opt"

  private let vocabulary: Int
  private let positions: Int
  private let sizes: HeadSizes
  private let embeddingWidth: Int
  private let intermediate: Int
  private let activation: Activation
  private let tied: Bool
  private let bias: Bool
  private let normFirst: Bool
  private let finalNorm: Bool
  private let dropsAttention: Bool
  private let dropsHidden: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 768, layers: 12, heads: 12))
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 50_272)
    positions = try config.integer("max_position_embeddings", in: 1...100_000_000, default: 2048)
    embeddingWidth = try config.integer(
      "word_embed_proj_dim", in: 1...1_000_000, default: sizes.hidden)
    intermediate = try config.integer("ffn_dim", in: 1...10_000_000, default: 3072)
    activation = try config.choice("activation_function", default: .relu)
    tied = try config.bool("tie_word_embeddings", default: true)
    bias = try config.bool("enable_bias", default: true)
    normFirst = try config.bool("do_layer_norm_before", default: true)
    let removed = try config.bool("_remove_final_layer_norm", default: false)
    finalNorm = normFirst && !removed
    dropsAttention = try config.drops("attention_dropout", default: 0)
    dropsHidden = try config.drops("dropout", default: 0.1)
    guard try config.bool("layer_norm_elementwise_affine", default: true) else {
      throw PlanError(
        .unsupported, "layer norms without weights are not planned",
        path: config.place("layer_norm_elementwise_affine"),
        fix: "Set it to true; published OPT checkpoints do.")
    }
  }

  var linearModules: [String] {
    ["k_proj", "v_proj", "q_proj", "out_proj", "fc1", "fc2"]
      + (embeddingWidth == sizes.hidden ? [] : ["project_out", "project_in"])
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try LearnedPositions.check(context.sequence, limit: positions)
    var f = Forward(context)
    f.enter("model")
    let (batch, sequence) = (context.batch, context.sequence)
    let tokens = try checkedProduct(batch, sequence)
    let embedding = try f.parameter("embed_tokens.weight", vocabulary, embeddingWidth)
    let table = try f.parameter("embed_positions.weight", positions + 2, sizes.hidden)
    let projects = embeddingWidth != sizes.hidden
    let projectOut =
      projects
      ? try f.linear(
        "project_out", weight: "project_out.weight", input: sizes.hidden, output: embeddingWidth)
      : nil
    let projectIn =
      projects
      ? try f.linear(
        "project_in", weight: "project_in.weight", input: embeddingWidth, output: sizes.hidden)
      : nil
    let norm =
      finalNorm
      ? try LayerNorm(
        "final_layer_norm", weight: "final_layer_norm.weight", bias: "final_layer_norm.bias",
        width: sizes.hidden, in: &f) : nil

    var embedded = f.local(try f.embedding(rows: tokens, embedding))
    if context.inputRequiresGradient { f.require(embedded) }
    // The padding mask that the model makes for itself, in fp32, and positions counted from it.
    _ = f.local(f.plain("ones", try TensorSpec(batch, sequence, .fp32)))
    let places = f.local(f.plain("cumsum", try TensorSpec(batch, sequence, .int64)))
    var arguments = [places]
    let mask = try attention.mask(in: &f)
    if let mask { arguments.append(f.local(mask)) }
    let rows = f.plain("add", places.spec)
    let placed = f.local(
      try f.embedding(rows: tokens, table, module: "embed_positions", at: rows))
    f.discard(rows)
    if let projectIn {
      embedded = f.local(try f.project(embedded, projectIn), replacing: embedded)
    }
    var stream = f.local(try f.add(embedded, placed))
    let layer = try f.layer("layers", residual: stream.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, in: &f)
    }
    stream = f.layers(stream)
    if let norm { stream = f.local(try norm(stream, in: &f), replacing: stream) }
    if let projectOut { stream = f.local(try f.project(stream, projectOut), replacing: stream) }
    stream = f.leave(stream)
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, embeddingWidth)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(program: f.program, pattern: [layer], layers: sizes.layers)
  }

  private var attention: CausalAttention {
    CausalAttention(
      heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth,
      dropout: dropsAttention)
  }

  /// One layer, as `OPTDecoderLayer.forward` runs it.
  private func layer(_ x: Value, mask: Value?, in f: inout Forward) throws(PlanError) -> Value {
    let attention = try Attention(sizes.hidden, bias: bias, in: &f)
    let attentionNorm = try LayerNorm(
      "self_attn_layer_norm", weight: "self_attn_layer_norm.weight",
      bias: "self_attn_layer_norm.bias", width: sizes.hidden, in: &f)
    var fc1 = try f.linear(
      "fc1", weight: "fc1.weight", bias: bias ? "fc1.bias" : nil, input: sizes.hidden,
      output: intermediate)
    var fc2 = try f.linear(
      "fc2", weight: "fc2.weight", bias: bias ? "fc2.bias" : nil, input: intermediate,
      output: sizes.hidden)
    (fc1.takesMatrix, fc2.takesMatrix) = (true, true)
    let finalNorm = try LayerNorm(
      "final_layer_norm", weight: "final_layer_norm.weight", bias: "final_layer_norm.bias",
      width: sizes.hidden, in: &f)

    f.enter("layer")
    var residual = f.local(x)
    var stream = f.local(f.alias(x))
    if normFirst { stream = f.local(try attentionNorm(stream, in: &f), replacing: stream) }
    let attended = try attend(stream, attention, mask: mask, in: &f)
    f.forget(stream)
    stream = attended
    if dropsHidden { stream = f.local(f.dropout(stream), replacing: stream) }
    stream = f.local(try f.add(residual, stream), replacing: stream)
    if !normFirst { stream = f.local(try attentionNorm(stream, in: &f), replacing: stream) }
    stream = f.local(try f.view(stream, columns: sizes.hidden), replacing: stream)
    residual = f.local(stream, replacing: residual)
    if normFirst { stream = f.local(try finalNorm(stream, in: &f), replacing: stream) }
    stream = f.local(try f.project(stream, fc1), replacing: stream)
    stream = f.local(try f.activate(stream, activation), replacing: stream)
    stream = f.local(try f.project(stream, fc2), replacing: stream)
    if dropsHidden { stream = f.local(f.dropout(stream), replacing: stream) }
    let sum = try f.view(try f.add(residual, stream), columns: sizes.hidden)
    stream = f.local(sum, replacing: stream)
    if !normFirst { stream = f.local(try finalNorm(stream, in: &f), replacing: stream) }
    return f.leave(stream)
  }

  /// The four projections, in the order of their declaration.
  private struct Attention {
    let k: Linear
    let v: Linear
    let q: Linear
    let output: Linear

    init(_ hidden: Int, bias: Bool, in f: inout Forward) throws(PlanError) {
      k = try f.linear(
        "k_proj", weight: "self_attn.k_proj.weight", bias: bias ? "self_attn.k_proj.bias" : nil,
        input: hidden, output: hidden)
      v = try f.linear(
        "v_proj", weight: "self_attn.v_proj.weight", bias: bias ? "self_attn.v_proj.bias" : nil,
        input: hidden, output: hidden)
      q = try f.linear(
        "q_proj", weight: "self_attn.q_proj.weight", bias: bias ? "self_attn.q_proj.bias" : nil,
        input: hidden, output: hidden)
      output = try f.linear(
        "out_proj", weight: "self_attn.out_proj.weight",
        bias: bias ? "self_attn.out_proj.bias" : nil, input: hidden, output: hidden)
    }
  }

  /// `OPTAttention.forward`: queries are scaled ahead of attention.
  private func attend(_ x: Value, _ weights: Attention, mask: Value?, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter("self_attn", holding: x)
    // Gradients of several heads arrive transposed.
    let copies = attention.copiesEveryGradient(in: f) && sizes.heads > 1
    let width = sizes.headWidth
    let queries = f.local(
      try f.heads(f.scale(try f.project(x, weights.q)), width: width, copies: copies))
    // Gradients of transposed keys fit their rows without a copy only in a batch of one.
    let keyCopies = copies && (f.context.attention == .flash || f.context.batch > 1)
    let k = try f.project(x, weights.k)
    let kName = f.local(k)
    let v = f.local(try f.project(x, weights.v))
    let keys = f.local(try f.heads(kName, width: width, copies: keyCopies), replacing: kName)
    let values = f.local(try f.heads(v, width: width, copies: copies), replacing: v)
    let (attended, probabilities) = try attention(queries, keys, values, mask: mask, in: &f)
    let output = f.local(attended)
    let kept = probabilities.map { f.local($0) }
    return f.returned(f.local(try f.project(output, weights.output), replacing: output), kept)
  }
}

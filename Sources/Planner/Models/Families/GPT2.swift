/// GPT-2: learned positions, pre-norm layers with a fused q, k, v projection, dropouts throughout.
///
/// Source: `modeling_gpt2.py` and `configuration_gpt2.py`, transformers 5.17.
struct GPT2: ModelFamily {
  static let modelType = "gpt2"

  let vocabulary: Int
  let positions: Int
  let hidden: Int
  let intermediate: Int
  let layers: Int
  let heads: Int
  private let activation: Activation
  let tied: Bool
  let dropsAttention: Bool
  private let dropsEmbedding: Bool
  let dropsResidual: Bool

  init(_ config: inout Settings) throws(PlanError) {
    let sizes = HeadSizes.Keys(hidden: "n_embd", layers: "n_layer", heads: "n_head")
    let read = try HeadSizes(&config, sizes, default: .init(hidden: 768, layers: 12, heads: 12))
    (hidden, layers, heads) = (read.hidden, read.layers, read.heads)
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 50_257)
    positions = try config.integer(
      "n_positions", or: "max_position_embeddings", in: 1...100_000_000, default: 1024)
    intermediate = try config.optionalInteger("n_inner", in: 1...10_000_000) ?? 4 * hidden
    activation = try config.choice("activation_function", default: .newGELU)
    tied = try config.bool("tie_word_embeddings", default: true)
    dropsAttention = try config.drops("attn_pdrop", default: 0.1)
    dropsEmbedding = try config.drops("embd_pdrop", default: 0.1)
    dropsResidual = try config.drops("resid_pdrop", default: 0.1)
    try config.refuse("add_cross_attention", "cross-attention")
    try config.refuse("reorder_and_upcast_attn", "attention in fp32 beside a 16-bit model")
  }

  var linearModules: [String] { ["c_attn", "c_proj", "c_fc"] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try LearnedPositions.check(context.sequence, limit: positions)
    var f = Forward(context)
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    let embedding = try f.parameter("wte.weight", vocabulary, hidden)
    let table = try f.parameter("wpe.weight", positions, hidden)
    let embedded = f.local(try f.embedding(rows: tokens, embedding))
    if context.inputRequiresGradient { f.require(embedded) }
    let places = f.local(f.plain("arange", try TensorSpec(1, context.sequence, .int64)))
    let placed = f.local(try f.embedding(rows: context.sequence, table, module: "wpe", at: places))
    var stream = f.local(try f.add(embedded, placed))
    let mask = try attention.mask(in: &f).map { f.local($0) }
    if dropsEmbedding { stream = f.local(f.dropout(stream), replacing: stream) }
    let layer = try f.layer(
      "h", residual: stream.spec, arguments: [places], positional: mask.map { [$0] } ?? []
    ) {
      (f, x) throws(PlanError) in
      try self.layer(x, mask: mask, in: &f)
    }
    stream = f.layers(stream)
    let norm = try LayerNorm(
      "ln_f", weight: "ln_f.weight", bias: "ln_f.bias", width: hidden, in: &f)
    stream = f.leave(f.local(try norm(stream, in: &f), replacing: stream))
    f.enter("lm_head", holding: stream)
    let head = tied ? embedding : try f.parameter("lm_head.weight", vocabulary, hidden)
    let (loss, logits) = try CausalHead.loss(stream, weight: head, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(program: f.program, pattern: [layer], layers: layers)
  }

  private var attention: CausalAttention {
    CausalAttention(
      heads: heads, keyHeads: heads, headWidth: hidden / heads, dropout: dropsAttention,
      plainSoftmax: true)
  }

  /// One layer, as `GPT2Block.forward` runs it.
  private func layer(_ x: Value, mask: Value?, in f: inout Forward) throws(PlanError) -> Value {
    let firstNorm = try LayerNorm(
      "ln_1", weight: "ln_1.weight", bias: "ln_1.bias", width: hidden, in: &f)
    let fused = try f.linear(
      "c_attn", weight: "attn.c_attn.weight", bias: "attn.c_attn.bias", input: hidden,
      output: 3 * hidden, form: .addmm)
    let output = try f.linear(
      "c_proj", weight: "attn.c_proj.weight", bias: "attn.c_proj.bias", input: hidden,
      output: hidden, form: .addmm)
    let secondNorm = try LayerNorm(
      "ln_2", weight: "ln_2.weight", bias: "ln_2.bias", width: hidden, in: &f)
    let mlp = PlainMLP(
      first: try f.linear(
        "c_fc", weight: "mlp.c_fc.weight", bias: "mlp.c_fc.bias", input: hidden,
        output: intermediate, form: .addmm),
      second: try f.linear(
        "c_proj", weight: "mlp.c_proj.weight", bias: "mlp.c_proj.bias", input: intermediate,
        output: hidden, form: .addmm),
      activation: activation, dropout: dropsResidual)

    f.enter("layer")
    var residual = f.local(x)
    var stream = f.local(try firstNorm(x, in: &f))
    let attended = try attend(stream, fused, output, mask: mask, in: &f)
    stream = f.local(try f.add(attended, residual), replacing: stream)
    residual = f.local(stream, replacing: residual)
    stream = f.local(try secondNorm(stream, in: &f), replacing: stream)
    let fed = f.local(try mlp(stream, in: &f))
    return f.leave(f.local(try f.add(residual, fed), replacing: stream))
  }

  /// `GPT2Attention.forward`; the attention weights are a name of the caller's frame.
  private func attend(
    _ x: Value, _ fused: Linear, _ output: Linear, mask: Value?, in f: inout Forward
  ) throws(PlanError) -> Value {
    f.enter("attn", holding: x)
    // Gradients of several heads arrive transposed.
    let copies = attention.copiesEveryGradient(in: f) && heads > 1
    let width = hidden / heads
    let (q, k, v) = try f.split(try f.project(x, fused), hidden, hidden, hidden)
    let keys = f.local(try f.heads(k, width: width, copies: false))
    let values = f.local(try f.heads(v, width: width, copies: copies))
    let queries = f.local(try f.heads(q, width: width, copies: copies))
    let (rows, weights) = try attention(queries, keys, values, mask: mask, in: &f)
    let attended = f.local(rows)
    let kept = weights.map { f.local($0) }
    var result = f.local(try f.project(attended, output), replacing: attended)
    if dropsResidual { result = f.local(f.dropout(result), replacing: result) }
    return f.returned(result, kept)
  }
}

/// The sizes and the forward pass that BERT and RoBERTa share, with a masked-language head.
///
/// Source: `BertForMaskedLM` and `RobertaForMaskedLM`, transformers 5.17.
struct BertLineage: Sendable {
  let vocabulary: Int
  let sizes: HeadSizes
  let intermediate: Int
  let positions: Int
  let segments: Int
  let activation: Activation
  let dropsAttention: Bool
  let dropsHidden: Bool
  /// The position of the first token where positions are counted from the tokens; `nil` for a row of the buffer.
  var firstPosition: Int?

  /// What a plan says of the loss.
  static let headAssumption = Assumption(
    "masked_language_head",
    "every token is a label: the loss covers the whole batch, whatever share of it is masked",
    source: "BertForMaskedLM.forward, RobertaForMaskedLM.forward")

  static let linearModules = ["query", "key", "value", "dense"]

  init(_ config: inout Settings, vocabulary: Int) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 768, layers: 12, heads: 12))
    self.vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: vocabulary)
    intermediate = try config.integer("intermediate_size", in: 1...10_000_000, default: 3072)
    positions = try config.integer("max_position_embeddings", in: 1...100_000_000, default: 512)
    segments = try config.integer("type_vocab_size", in: 1...10_000_000, default: 2)
    activation = try config.choice("hidden_act", default: .gelu)
    dropsAttention = try config.drops("attention_probs_dropout_prob", default: 0.1)
    dropsHidden = try config.drops("hidden_dropout_prob", default: 0.1)
    try config.refuse("is_decoder", "a causal decoder of this type")
    try config.refuse("add_cross_attention", "cross-attention")
    guard try config.bool("tie_word_embeddings", default: true) else {
      throw PlanError(
        .unsupported, "a masked-language head with a weight of its own is not planned",
        path: config.place("tie_word_embeddings"),
        fix: "Set it to true; published checkpoints do.")
    }
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try LearnedPositions.check(context.sequence, limit: positions - (firstPosition ?? 0))
    var f = Forward(context)
    f.enter("model")
    f.enter("encoder")
    let word = try f.parameter("word_embeddings.weight", vocabulary, sizes.hidden)
    let embedded = f.local(try embeddings(word, in: &f))
    var stream = f.local(f.alias(embedded))
    let layer = try f.layer("layer", residual: stream.spec, arguments: []) {
      (f, x) throws(PlanError) in try self.layer(x, in: &f)
    }
    stream = f.layers(stream)
    stream = f.local(f.leave(stream))
    let (loss, logits) = try head(stream, word, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      buffers: [8 * positions, 8 * positions])
  }

  /// `BertEmbeddings.forward`: words, segments and positions, a norm and a dropout.
  private func embeddings(_ word: Parameter, in f: inout Forward) throws(PlanError) -> Value {
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let tokens = try checkedProduct(batch, sequence)
    let position = try f.parameter("position_embeddings.weight", positions, sizes.hidden)
    let segment = try f.parameter("token_type_embeddings.weight", segments, sizes.hidden)
    let norm = try LayerNorm(
      "LayerNorm", weight: "LayerNorm.weight", bias: "LayerNorm.bias", width: sizes.hidden, in: &f)

    f.enter("embeddings")
    let counted = firstPosition == nil ? nil : f.local(try countedPositions(in: &f))
    let kinds = f.local(
      f.plain("gather", try TensorSpec(counted == nil ? 1 : batch, sequence, .int64)))
    let words = f.local(try f.embedding(rows: tokens, word, module: "word_embeddings"))
    if f.context.inputRequiresGradient { f.require(words) }
    let types = f.local(
      try f.embedding(
        rows: tokens, segment, module: "token_type_embeddings", at: kinds,
        expanded: counted == nil && batch > 1))
    var sum = f.local(try f.add(words, types))
    let places = f.local(
      try f.embedding(
        rows: counted == nil ? sequence : tokens, position, module: "position_embeddings",
        at: counted))
    sum = f.local(try f.add(sum, places), replacing: sum)
    sum = f.local(try norm(sum, in: &f), replacing: sum)
    if dropsHidden { sum = f.local(f.dropout(sum), replacing: sum) }
    return f.leave(sum)
  }

  /// `create_position_ids_from_input_ids`: the running number of each token that is not padding.
  private func countedPositions(in f: inout Forward) throws(PlanError) -> Value {
    let wide = try TensorSpec(f.context.batch, f.context.sequence, .int64)
    let narrow = wide.cast(to: .fp32)
    f.enter("positions")
    let truth = f.plain("ne", wide.cast(to: .bool))
    _ = f.local(f.plain("to", narrow))
    f.discard(truth)
    let sum = f.plain("cumsum", wide)
    let typed = f.plain("to", narrow)
    f.discard(sum)
    let shifted = f.plain("add", narrow)
    f.discard(typed)
    let indices = f.local(f.plain("mul", narrow))
    f.discard(shifted)
    let long = f.plain("to", wide)
    let result = f.plain("add", wide)
    f.discard(long)
    _ = indices
    return f.leave(result)
  }

  private var attention: CausalAttention {
    var attention = CausalAttention(
      heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth,
      dropout: dropsAttention, plainSoftmax: true, keepsSoftmax: true)
    attention.causal = false
    return attention
  }

  /// One layer, as `BertLayer.forward` runs it.
  private func layer(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    let hidden = sizes.hidden
    let attention = EncoderAttention(
      attention: attention,
      q: try f.linear(
        "query", weight: "query.weight", bias: "query.bias", input: hidden, output: hidden),
      k: try f.linear("key", weight: "key.weight", bias: "key.bias", input: hidden, output: hidden),
      v: try f.linear(
        "value", weight: "value.weight", bias: "value.bias", input: hidden, output: hidden))
    let output = try Branch(input: hidden, hidden: hidden, drops: dropsHidden, in: &f)
    let first = try f.linear(
      "dense", weight: "intermediate.dense.weight", bias: "intermediate.dense.bias",
      input: hidden, output: intermediate)
    let second = try Branch(input: intermediate, hidden: hidden, drops: dropsHidden, in: &f)

    f.enter("layer", holding: x)
    f.enter("attention", holding: x)
    f.enter("self", holding: x)
    let (attended, weights) = try attention(x, in: &f)
    let rows = f.returned(attended, weights)
    let attentionOutput = f.local(try output(rows, x, in: &f), replacing: rows)
    let stream = f.returned(attentionOutput, weights)
    f.enter("intermediate", holding: stream)
    let wide = f.local(try f.project(stream, first))
    let fed = f.local(f.leave(f.local(try f.activate(wide, activation), replacing: wide)))
    return f.leave(try second(fed, stream, in: &f))
  }

  /// The end of a residual branch: `LayerNorm(dropout(dense(hidden_states)) + input_tensor)`.
  private struct Branch {
    let dense: Linear
    let norm: LayerNorm
    let drops: Bool

    init(input: Int, hidden: Int, drops: Bool, in f: inout Forward) throws(PlanError) {
      dense = try f.linear(
        "dense", weight: "output.dense.weight", bias: "output.dense.bias", input: input,
        output: hidden)
      norm = try LayerNorm(
        "LayerNorm", weight: "output.LayerNorm.weight", bias: "output.LayerNorm.bias",
        width: hidden, in: &f)
      self.drops = drops
    }

    func callAsFunction(_ x: Value, _ residual: Value, in f: inout Forward) throws(PlanError)
      -> Value
    {
      f.enter("output", holding: x, residual)
      var hidden = f.local(try f.project(x, dense))
      if drops { hidden = f.local(f.dropout(hidden), replacing: hidden) }
      return f.leave(try norm(try f.add(hidden, residual), in: &f))
    }
  }

  /// `BertLMPredictionHead.forward` and the loss over all tokens, in the format of the logits.
  private func head(_ x: Value, _ word: Parameter, in f: inout Forward) throws(PlanError) -> (
    loss: Value, logits: Value?
  ) {
    let bias = try f.parameter("predictions.bias", 1, vocabulary)
    let dense = try f.linear(
      "dense", weight: "transform.dense.weight", bias: "transform.dense.bias",
      input: sizes.hidden, output: sizes.hidden)
    let norm = try LayerNorm(
      "LayerNorm", weight: "transform.LayerNorm.weight", bias: "transform.LayerNorm.bias",
      width: sizes.hidden, in: &f)
    f.enter("lm_head", holding: x)
    var hidden = f.local(try f.project(x, dense))
    let act = firstPosition == nil ? activation : .gelu
    hidden = f.local(try f.activate(hidden, act), replacing: hidden)
    hidden = f.local(try norm(hidden, in: &f), replacing: hidden)
    let logits = f.local(f.leave(try f.product(hidden, word, bias: bias, module: "decoder")))
    return (try ClassLoss.loss(logits, in: &f), f.context.keepOutputs ? logits : nil)
  }
}

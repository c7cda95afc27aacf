/// T5: an encoder and a decoder that reads it, biases by relative position, norms without a mean.
///
/// Source: `T5ForConditionalGeneration` in `modeling_t5.py` and `configuration_t5.py`, transformers 5.17.
struct T5: ModelFamily {
  static let modelType = "t5"

  private let vocabulary: Int
  private let sizes: T5Sizes
  private let layers: Int
  private let decoderLayers: Int
  private let tied: Bool

  init(_ config: inout Settings) throws(PlanError) {
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: 32_128)
    layers = try config.integer(
      "num_layers", or: "num_hidden_layers", in: 1...100_000, default: 6)
    decoderLayers = try config.integer("num_decoder_layers", in: 1...100_000, default: layers)
    let (activation, gated) = try Self.feedForward(&config)
    sizes = T5Sizes(
      hidden: try config.integer("d_model", or: "hidden_size", in: 1...1_000_000, default: 512),
      heads: try config.integer(
        "num_heads", or: "num_attention_heads", in: 1...100_000, default: 8),
      headWidth: try config.integer("d_kv", or: "head_dim", in: 1...100_000, default: 64),
      intermediate: try config.integer("d_ff", in: 1...10_000_000, default: 2048),
      buckets: try config.integer(
        "relative_attention_num_buckets", in: 4...1_000_000, default: 32),
      activation: activation, gated: gated,
      drops: try config.drops("dropout_rate", default: 0.1))
    tied = try config.bool("tie_word_embeddings", default: true)
    guard try config.bool("is_encoder_decoder", default: true) else {
      throw PlanError(
        .unsupported, "one stack of a T5 alone is not planned",
        path: config.place("is_encoder_decoder"), fix: "Set it to true; published T5 models do.")
    }
  }

  /// `feed_forward_proj`: an activation, after `gated-` if there is a gate.
  private static func feedForward(_ config: inout Settings) throws(PlanError) -> (Activation, Bool)
  {
    let text = try config.optionalString("feed_forward_proj") ?? "relu"
    let gated = text.hasPrefix("gated-")
    let name = gated ? String(text.dropFirst(6)) : text
    // For backwards compatibility the gate's GELU is the one of several operations.
    if text == "gated-gelu" { return (.newGELU, true) }
    guard let activation = Activation(rawValue: name) else {
      throw PlanError(
        .unknown, "\"\(text.prefix(80))\" is not known here",
        path: config.place("feed_forward_proj"),
        fix: "Use \"relu\" or \"gated-gelu\".")
    }
    return (activation, gated)
  }

  var isEncoderDecoder: Bool { true }

  /// Its kernels add no position bias.
  var runsFlashAttention: Bool { false }

  var linearModules: [String] {
    ["q", "k", "v", "o"] + (sizes.gated ? ["wi_0", "wi_1"] : ["wi"]) + ["wo"]
  }

  var assumptions: [Assumption] {
    var assumptions = [
      Assumption(
        "encoder_decoder",
        "the encoder reads sequence_length tokens, the decoder writes target_sequence_length (as "
          + "many where that is not given); layers are counted through both",
        source: "T5ForConditionalGeneration.forward")
    ]
    if !tied {
      assumptions.append(
        Assumption(
          "head_of_its_own", "a head that is not tied, as a checkpoint with both tables loads",
          source: "PreTrainedModel.tie_weights"))
    }
    return assumptions
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    guard context.dtype != .fp16 else {
      throw PlanError(
        .unsupported, "T5 in fp16 keeps some weights in fp32, which is not planned",
        path: "precision", fix: "Use \"bf16-true\", \"bf16-mixed\" or \"16-mixed\".")
    }
    let target = context.targetSequence ?? context.sequence
    var f = Forward(context)
    f.enter("model")
    let shared = try f.parameter("shared.weight", vocabulary, sizes.hidden)
    let (encoded, encoder) = try stack(
      "encoder", shared, ids: nil, encoded: nil, tokens: context.sequence, layers: layers, in: &f)
    let states = f.local(encoded)
    let ids = f.local(try shifted(target, in: &f))
    let (decoded, decoder) = try stack(
      "decoder", shared, ids: ids, encoded: states, tokens: target, layers: decoderLayers, in: &f)
    let written = f.local(decoded)
    let scaled = tied ? f.local(f.scale(written)) : written
    let head = tied ? shared : try f.parameter("lm_head.weight", vocabulary, sizes.hidden)
    let logits = f.local(try f.product(scaled, head, module: "lm_head"))
    let loss = try ClassLoss.loss(logits, in: &f)
    f.finish(loss: loss, holding: context.keepOutputs ? logits : nil, states)
    return LayerGraph(
      program: f.program, stacks: [encoder, decoder],
      inputs: [
        try checkedProduct(context.batch, context.sequence, 8),
        try checkedProduct(context.batch, target, 8),
      ])
  }

  /// `_shift_right`: the labels one position on, behind the start token.
  private func shifted(_ target: Int, in f: inout Forward) throws(PlanError) -> Value {
    let spec = try TensorSpec(f.context.batch, target, .int64)
    f.enter("decoder")
    let ids = f.local(f.plain("new_zeros", spec))
    f.discard(f.plain("clone", try TensorSpec(f.context.batch, target - 1, .int64)))
    f.discard(f.plain("eq", spec.cast(to: .bool)))
    return f.leave(ids)
  }

  /// `T5Stack.forward`: the first layer makes the biases that all others read.
  private func stack(
    _ name: StaticString, _ shared: Parameter, ids: Value?, encoded: Value?, tokens: Int,
    layers: Int, in f: inout Forward
  ) throws(PlanError) -> (output: Value, stack: LayerStack) {
    f.enter(name, holding: encoded)
    let embedded = f.local(
      try f.embedding(rows: try checkedProduct(f.context.batch, tokens), shared, at: ids))
    if f.context.inputRequiresGradient { f.require(embedded) }
    var attention = CausalAttention(
      heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth)
    (attention.causal, attention.queries) = (encoded != nil, tokens)
    // A fused kernel gets its mask from the biases.
    let written = f.context.attention == .eager
    let mask = written ? try attention.mask(in: &f).map { f.local($0) } : nil
    let block = T5Block(sizes: sizes, encoded: encoded, mask: mask, tokens: tokens)
    var stream = f.local(sizes.drops ? f.dropout(embedded) : f.alias(embedded))

    var arguments = [encoded, mask].compactMap { $0 }
    var biases: T5Block.Biases?
    let first = try f.layer("block", residual: stream.spec, arguments: arguments) {
      (f, x) throws(PlanError) in
      let (output, made) = try block(x, nil, in: &f)
      biases = made
      return output
    }
    let shareable = [biases?.own.value, biases?.across?.value].compactMap { $0 }
    for bias in shareable { arguments.append(f.local(bias)) }
    var pattern: [Int] = []
    if layers > 1 {
      pattern = [
        try f.layer("block", residual: stream.spec, arguments: arguments) {
          (f, x) throws(PlanError) in try block(x, biases, in: &f).output
        }
      ]
    }
    stream = f.layers(stream, of: encoded == nil ? 0 : 1)
    let norm = try RMSNorm(
      "final_layer_norm", weight: "final_layer_norm.weight", width: sizes.hidden, form: .narrow,
      in: &f)
    stream = f.local(try norm(stream, in: &f), replacing: stream)
    if sizes.drops { stream = f.local(f.dropout(stream), replacing: stream) }
    return (
      f.leave(stream),
      LayerStack(
        name: "\(name)", leading: LeadingLayers(section: first, count: 1), pattern: pattern,
        layers: layers, sharesGradients: true)
    )
  }
}

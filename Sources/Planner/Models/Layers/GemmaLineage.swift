/// What the Gemma families share.
///
/// Source: `modeling_gemma.py`, `modeling_gemma2.py` and `modeling_gemma3.py`, transformers 5.17.
struct GemmaLineage: Sendable {
  let sizes: DecoderSizes
  let activation: Activation
  let bias: Bool
  /// Norms after attention and MLP too.
  var hasFourNorms = false
  /// Norms over each query and key head.
  var hasHeadNorms = false
  private var capsScores = false
  private var capsLogits = false
  private var window: Int?
  /// Which layers slide, or `nil` where the family has one kind of layer.
  private var slides: [Bool]?

  /// Reads what all of them have.
  init(
    _ config: inout Settings, _ defaults: DecoderSizes.Defaults, activationKey: String
  ) throws(PlanError) {
    sizes = try DecoderSizes(&config, defaults)
    activation = try config.choice(activationKey, default: .tanhGELU)
    bias = try config.bool("attention_bias", default: false)
    try config.refuse("use_bidirectional_attention", "attention to later tokens")
  }

  /// Reads which layers slide: `layer_types`, or all but each `fullEvery`th.
  mutating func readLayerTypes(_ config: inout Settings, fullEvery: Int) throws(PlanError) {
    window =
      config.has("sliding_window")
      ? try config.optionalInteger("sliding_window", in: 1...1_000_000_000) : 4096
    if let types = try config.optionalStrings("layer_types") {
      guard types.count == sizes.layers else {
        throw PlanError(
          .invalid, "\(types.count) layer types for \(sizes.layers) layers",
          path: config.place("layer_types"), fix: "Give one for each of num_hidden_layers.")
      }
      for (index, type) in types.enumerated()
      where type != "full_attention" && type != "sliding_attention" {
        throw PlanError(
          .unknown, "\"\(type.prefix(40))\" is not known here",
          path: config.place("layer_types[\(index)]"),
          fix: "Use \"full_attention\" or \"sliding_attention\".")
      }
      slides = types.map { $0 == "sliding_attention" }
    } else {
      slides = (1...min(fullEvery, sizes.layers)).map { $0 % fullEvery != 0 }
    }
    guard window != nil else {
      throw PlanError(
        .invalid, "sliding layers without a window", path: config.place("sliding_window"),
        fix: "Give sliding_window, which the model's masks need.")
    }
  }

  /// Reads the caps on scores and logits; `scores` and `logits` say what a config without them means.
  mutating func readCaps(_ config: inout Settings, scores: Bool, logits: Bool) throws(PlanError) {
    func cap(_ key: String, _ default: Bool) throws(PlanError) -> Bool {
      let value = try config.optionalNumber(key, in: -1e9...1e9)
      return config.has(key) ? value != nil : `default`
    }
    let capped = try cap("attn_logit_softcapping", scores)
    capsScores = capped && !hasHeadNorms
    capsLogits = try cap("final_logit_softcapping", logits)
  }

  /// Writes the forward pass.
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let sizes = try self.sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.scalesEmbedding = true
    decoder.capsLogits = capsLogits
    decoder.window = window
    decoder.slides = slides ?? [false]
    decoder.makesBothMasks = slides != nil
    decoder.tablesForEachKind = hasHeadNorms
    return try decoder.graph(context) { (f) throws(PlanError) in
      try norm("norm", "norm.weight", &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(sizes, around, in: &f)(x, around, in: &f)
    }
  }

  private func layer(
    _ sizes: DecoderSizes, _ around: RotaryAttention.Surroundings, in f: inout Forward
  ) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(
      sizes, bias: bias, outputBias: bias,
      treatment: hasHeadNorms ? .transposedHeadNorms : .none, normForm: .offset, in: &f)
    let mlp = try GatedMLP(
      hidden: sizes.hidden, intermediate: sizes.intermediate, bias: false,
      activation: activation, in: &f)
    let first = try norm("input_layernorm", "input_layernorm.weight", &f)
    let second = try norm("post_attention_layernorm", "post_attention_layernorm.weight", &f)
    var layer = DecoderLayer(
      attention: RotaryAttention(
        sizes, projections: projections, window: around.window, capped: capsScores),
      feedForward: mlp, beforeAttention: first)
    if hasFourNorms {
      layer.afterAttention = second
      layer.beforeFeedForward = try norm(
        "pre_feedforward_layernorm", "pre_feedforward_layernorm.weight", &f)
      layer.afterFeedForward = try norm(
        "post_feedforward_layernorm", "post_feedforward_layernorm.weight", &f)
    } else {
      layer.beforeFeedForward = second
    }
    return layer
  }

  private func norm(_ module: StaticString, _ weight: StaticString, _ f: inout Forward)
    throws(PlanError) -> RMSNorm
  {
    try RMSNorm(module, weight: weight, width: sizes.hidden, form: .offset, in: &f)
  }
}

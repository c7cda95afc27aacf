/// OLMo: Llama's layers with layer norms that have no weights, and, in some checkpoints, clamped q, k and v.
///
/// Source: `modeling_olmo.py` and `configuration_olmo.py`, transformers 5.17.
struct Olmo: ModelFamily {
  static let modelType = "olmo"
  private let sizes: DecoderSizes
  private let bias: Bool
  private let activation: Activation
  /// Whether queries, keys and values are clamped in place.
  private let clamps: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try DecoderSizes(&config, .init(vocabulary: 50_304))
    bias = try config.bool("attention_bias", default: false)
    activation = try config.choice("hidden_act", default: .silu)
    clamps = try config.optionalNumber("clip_qkv", in: 0...1e9) != nil
  }

  var linearModules: [String] { Llama.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { sizes.tied }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let sizes = try self.sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.wideTables = true
    return try decoder.graph(context) { (_) in
      PlainLayerNorm(module: "norm")
    } layer: { (f, x, around) throws(PlanError) in
      try layer(sizes, in: &f)(x, around, in: &f)
    }
  }

  private func layer(_ sizes: DecoderSizes, in f: inout Forward) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(
      sizes, bias: bias, outputBias: bias, treatment: clamps ? .clamps : .none, in: &f)
    let mlp = try GatedMLP(
      hidden: sizes.hidden, intermediate: sizes.intermediate, bias: false,
      activation: activation, in: &f)
    return DecoderLayer(
      attention: RotaryAttention(
        sizes, projections: projections, window: nil, form: .restored),
      feedForward: mlp, beforeAttention: PlainLayerNorm(module: "input_layernorm"),
      beforeFeedForward: PlainLayerNorm(module: "post_attention_layernorm"))
  }

  /// A layer norm without weights, in fp32.
  private struct PlainLayerNorm: Norm {
    let module: StaticString

    func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
      f.enter(module, holding: x)
      let normed = try f.layerNorm(f.cast(x, to: .fp32), weight: nil, bias: nil)
      return f.leave(f.cast(normed, to: x.spec.dtype))
    }
  }
}

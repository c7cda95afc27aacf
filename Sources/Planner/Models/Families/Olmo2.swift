/// OLMo 2: norms after attention and MLP instead of before, and over all query and key heads together.
///
/// Source: `modeling_olmo2.py` and `configuration_olmo2.py`, transformers 5.17.
struct Olmo2: ModelFamily {
  static let modelType = "olmo2"
  private let sizes: DecoderSizes
  private let bias: Bool
  private let activation: Activation

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try DecoderSizes(&config, .init(vocabulary: 50_304))
    bias = try config.bool("attention_bias", default: false)
    activation = try config.choice("hidden_act", default: .silu)
  }

  var linearModules: [String] { Llama.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { sizes.tied }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let part = try sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.wideTables = true
    return try decoder.graph(context) { (f) throws(PlanError) in
      try norm("norm", "norm.weight", &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(part, in: &f)(x, around, in: &f)
    }
  }

  /// Declares one layer, of whose MLP a device has a part.
  private func layer(_ part: DecoderSizes, in f: inout Forward) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(
      sizes, bias: bias, outputBias: bias, treatment: .rowNorms, normForm: .beforeCast, in: &f)
    let mlp = try GatedMLP(
      hidden: sizes.hidden, intermediate: part.intermediate, bias: false,
      activation: activation, in: &f)
    return DecoderLayer(
      attention: RotaryAttention(
        sizes, projections: projections, window: nil, form: .restored),
      feedForward: mlp,
      afterAttention: try norm(
        "post_attention_layernorm", "post_attention_layernorm.weight", &f),
      afterFeedForward: try norm(
        "post_feedforward_layernorm", "post_feedforward_layernorm.weight", &f))
  }

  private func norm(_ module: StaticString, _ weight: StaticString, _ f: inout Forward)
    throws(PlanError) -> RMSNorm
  {
    try RMSNorm(module, weight: weight, width: sizes.hidden, form: .beforeCast, in: &f)
  }
}

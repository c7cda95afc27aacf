/// Mixtral: Mistral's layers with a mixture of experts in place of the MLP.
///
/// Source: `modeling_mixtral.py` and `configuration_mixtral.py`, transformers 5.17.
struct Mixtral: ModelFamily {
  static let modelType = "mixtral"
  private let sizes: DecoderSizes
  private let experts: ExpertSizes
  private let activation: Activation
  private let window: Int?

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try DecoderSizes(&config, .init(intermediate: 14_336, keyHeads: 8))
    experts = try ExpertSizes(
      &config, .init(count: "num_local_experts", intermediate: "intermediate_size"),
      default: .init(count: 8, choices: 2, intermediate: 14_336))
    activation = try config.choice("hidden_act", default: .silu)
    window = try config.optionalInteger("sliding_window", in: 1...1_000_000_000)
    try config.refuse("output_router_logits", "the router's auxiliary loss")
    if try config.drops("router_jitter_noise", default: 0) {
      throw PlanError(
        .unsupported, "noise on the router's input is not planned",
        path: config.place("router_jitter_noise"), fix: "Set it to 0, as published models do.")
    }
  }

  var linearModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj"] }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { sizes.tied }
  var routedExperts: RoutedExperts? { experts.routed }
  var assumptions: [Assumption] { [.uniformExperts] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let sizes = try self.sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.window = window
    decoder.slides = [window != nil]
    return try decoder.graph(context) { (f) throws(PlanError) in
      try RMSNorm("norm", weight: "norm.weight", width: sizes.hidden, in: &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(sizes, around, in: &f)(x, around, in: &f)
    }
  }

  private func layer(
    _ sizes: DecoderSizes, _ around: RotaryAttention.Surroundings, in f: inout Forward
  ) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(sizes, bias: false, outputBias: false, in: &f)
    let router = try SoftmaxRouter(experts, hidden: sizes.hidden, form: .wide, in: &f)
    let mixture = MixtureBlock(
      router: router,
      experts: try Experts(experts, hidden: sizes.hidden, activation: activation, in: &f))
    return DecoderLayer(
      attention: RotaryAttention(sizes, projections: projections, window: around.window),
      feedForward: mixture,
      beforeAttention: try RMSNorm(
        "input_layernorm", weight: "input_layernorm.weight", width: sizes.hidden, in: &f),
      beforeFeedForward: try RMSNorm(
        "post_attention_layernorm", weight: "post_attention_layernorm.weight",
        width: sizes.hidden, in: &f))
  }
}

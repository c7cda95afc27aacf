/// What the Qwen families with experts share: layers with a mixture, and others with an MLP.
///
/// Source: `modeling_qwen2_moe.py` and `modeling_qwen3_moe.py`, transformers 5.17.
struct QwenMixture: Sendable {
  let sizes: DecoderSizes
  let experts: ExpertSizes
  private let activation: Activation
  private let normalizes: Bool
  /// Which layers have a mixture: a pattern.
  private let mixtures: [Bool]
  /// Biases of the q, k and v projections.
  var inputBias = false
  /// A bias of the output projection.
  var outputBias = false
  /// Norms over each query and key head.
  var headNorms = false
  /// Whether the model makes a mask for sliding layers that it does not have, with a window of 0.
  var makesIdleMask = false
  /// Elements between the projections of the expert for all tokens, where there is one.
  var sharedWidth: Int?

  /// Reads what both have.
  init(
    _ config: inout Settings, _ defaults: DecoderSizes.Defaults,
    experts expertDefaults: ExpertSizes.Defaults
  ) throws(PlanError) {
    sizes = try DecoderSizes(&config, defaults)
    experts = try ExpertSizes(
      &config, .init(count: "num_experts", intermediate: "moe_intermediate_size"),
      default: expertDefaults)
    activation = try config.choice("hidden_act", default: .silu)
    normalizes = try config.bool("norm_topk_prob", default: false)
    try config.refuse("output_router_logits", "the router's auxiliary loss")
    try config.refuse("use_sliding_window", "a sliding window in some layers")
    let step = try config.integer("decoder_sparse_step", in: 1...100_000, default: 1)
    let dense = try config.optionalIntegers("mlp_only_layers", in: 0...100_000) ?? []
    let period = dense.isEmpty ? min(step, sizes.layers) : sizes.layers
    var mixtures = (0..<period).map { ($0 + 1) % step == 0 }
    for layer in dense where layer < period { mixtures[layer] = false }
    self.mixtures = mixtures
  }

  /// The names of its linear projections.
  var linearModules: [String] {
    let hasMLP = sharedWidth != nil || mixtures.contains(false)
    return ["q_proj", "k_proj", "v_proj", "o_proj"]
      + (hasMLP ? ["gate_proj", "up_proj", "down_proj"] : [])
      + (sharedWidth != nil ? ["shared_expert_gate"] : [])
  }

  /// Writes the forward pass.
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let sizes = try self.sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.mixtures = mixtures
    if makesIdleMask { (decoder.window, decoder.makesBothMasks) = (0, true) }
    return try decoder.graph(context) { (f) throws(PlanError) in
      try RMSNorm("norm", weight: "norm.weight", width: sizes.hidden, in: &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(sizes, around, in: &f)(x, around, in: &f)
    }
  }

  private func layer(
    _ sizes: DecoderSizes, _ around: RotaryAttention.Surroundings, in f: inout Forward
  ) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(
      sizes, bias: inputBias, outputBias: outputBias,
      treatment: headNorms ? .headNorms : .none, in: &f)
    let feedForward: any FeedForward =
      around.hasMixture
      ? try mixture(in: &f)
      : try GatedMLP(
        hidden: sizes.hidden, intermediate: sizes.intermediate, bias: false,
        activation: activation, in: &f)
    return DecoderLayer(
      attention: RotaryAttention(sizes, projections: projections, window: nil),
      feedForward: feedForward,
      beforeAttention: try RMSNorm(
        "input_layernorm", weight: "input_layernorm.weight", width: sizes.hidden, in: &f),
      beforeFeedForward: try RMSNorm(
        "post_attention_layernorm", weight: "post_attention_layernorm.weight",
        width: sizes.hidden, in: &f))
  }

  /// With an expert for all tokens the router's weight comes first, without it last.
  private func mixture(in f: inout Forward) throws(PlanError) -> MixtureBlock {
    let form = SoftmaxRouter.Form.restored(normalizes: normalizes)
    guard let width = sharedWidth else {
      let all = try Experts(experts, hidden: sizes.hidden, activation: activation, in: &f)
      return MixtureBlock(
        router: try SoftmaxRouter(experts, hidden: sizes.hidden, form: form, in: &f), experts: all)
    }
    let router = try SoftmaxRouter(experts, hidden: sizes.hidden, form: form, in: &f)
    // Qwen2-MoE's tp_plan names no experts.
    let all = try Experts(
      experts, hidden: sizes.hidden, activation: activation, isCut: false, in: &f)
    let expert = GatedMLP(
      gate: try f.linear(
        "gate_proj", weight: "mlp.shared_expert.gate_proj.weight", input: sizes.hidden,
        output: width),
      up: try f.linear(
        "up_proj", weight: "mlp.shared_expert.up_proj.weight", input: sizes.hidden, output: width),
      down: try f.linear(
        "down_proj", weight: "mlp.shared_expert.down_proj.weight", input: width,
        output: sizes.hidden),
      activation: activation)
    let gate = try f.linear(
      "shared_expert_gate", weight: "mlp.shared_expert_gate.weight", input: sizes.hidden, output: 1)
    return MixtureBlock(router: router, experts: all, shared: .init(expert: expert, gate: gate))
  }
}

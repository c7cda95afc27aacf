/// What the DeepSeek families share: latent attention, an MLP in the first layers and experts in all others.
///
/// Source: `modeling_deepseek_v2.py` and `modeling_deepseek_v3.py`, transformers 5.17.
struct DeepSeekMixture: Sendable {
  let sizes: DecoderSizes
  let latent: LatentSizes
  let experts: ExpertSizes
  let activation: Activation
  /// Elements between the projections of the expert for all tokens.
  private let sharedWidth: Int
  private let denseLayers: Int
  /// How a token's experts are chosen.
  var choice: GroupedRouter.Choice
  /// Biases of the MLPs.
  var mlpBias = false

  /// What the two mean by a config that leaves a key out.
  struct Defaults {
    var sizes: DecoderSizes.Defaults
    var experts: ExpertSizes.Defaults
    var sharedExperts: Int
    var denseLayers: Int
    var choice: GroupedRouter.Choice
    var rotation: LatentSizes.Rotation
  }

  /// Reads what both have.
  init(_ config: inout Settings, _ defaults: Defaults) throws(PlanError) {
    var common = defaults.sizes
    common.headWidth = 64
    sizes = try DecoderSizes(&config, common)
    latent = try LatentSizes(&config, sizes, rotation: defaults.rotation)
    experts = try ExpertSizes(
      &config, .init(count: "n_routed_experts", intermediate: "moe_intermediate_size"),
      default: defaults.experts)
    activation = try config.choice("hidden_act", default: .silu)
    let shared = try config.integer(
      "n_shared_experts", in: 1...10_000, default: defaults.sharedExperts)
    sharedWidth = try checkedProduct(shared, experts.intermediate)
    denseLayers = min(
      sizes.layers,
      try config.integer(
        "first_k_dense_replace", in: 0...100_000, default: defaults.denseLayers))
    choice = defaults.choice
    try config.refuse("output_router_logits", "the router's auxiliary loss")
  }

  /// The names of its linear projections.
  var linearModules: [String] { latent.linearModules + ["gate_proj", "up_proj", "down_proj"] }

  /// Writes the forward pass.
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.rotaryWidth = latent.turned
    decoder.hasComplexTable = latent.rotation == .complex
    decoder.mixtures = [true]
    decoder.leadingDense = denseLayers
    decoder.mixtureBuffer =
      choice.hasBias ? experts.count &* (context.bufferFormat ?? context.dtype).size : nil
    return try decoder.graph(context) { (f) throws(PlanError) in
      try RMSNorm("norm", weight: "norm.weight", width: sizes.hidden, in: &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(hasMixture: around.hasMixture, in: &f)(x, around, in: &f)
    }
  }

  private func layer(hasMixture: Bool, in f: inout Forward) throws(PlanError) -> DecoderLayer {
    let attention = try LatentAttention(latent, in: &f)
    let feedForward: any FeedForward =
      hasMixture
      ? try mixture(in: &f)
      : try GatedMLP(
        hidden: sizes.hidden, intermediate: sizes.intermediate, bias: mlpBias,
        activation: activation, in: &f)
    return DecoderLayer(
      attention: attention, feedForward: feedForward,
      beforeAttention: try RMSNorm(
        "input_layernorm", weight: "input_layernorm.weight", width: sizes.hidden, in: &f),
      beforeFeedForward: try RMSNorm(
        "post_attention_layernorm", weight: "post_attention_layernorm.weight",
        width: sizes.hidden, in: &f))
  }

  private func mixture(in f: inout Forward) throws(PlanError) -> Mixture {
    let all = try Experts(experts, hidden: sizes.hidden, activation: activation, in: &f)
    let router = try GroupedRouter(experts, hidden: sizes.hidden, choice: choice, in: &f)
    return Mixture(
      router: router, experts: all,
      shared: try GatedMLP(
        shared: sharedWidth, hidden: sizes.hidden, bias: mlpBias, activation: activation, in: &f))
  }

  /// Source: `DeepseekV2Moe.forward` and `DeepseekV3MoE.forward`.
  private struct Mixture: FeedForward {
    let router: GroupedRouter
    let experts: Experts
    let shared: GatedMLP

    func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
      f.enter("mlp", holding: x)
      let (logits, weights, indices) = try router(x, in: &f)
      _ = f.local(logits)
      let (scales, chosen) = (f.local(weights), f.local(indices))
      let tokens = f.local(try f.view(x, columns: x.spec.columns))
      let routed = f.local(
        try experts(tokens, indices: chosen, weights: scales, in: &f), replacing: tokens)
      let viewed = f.local(try f.view(routed, columns: x.spec.columns), replacing: routed)
      return f.leave(f.local(try f.add(viewed, try shared(x, in: &f)), replacing: viewed))
    }
  }
}

extension GatedMLP {
  /// Declares the expert that every token goes to.
  fileprivate init(
    shared width: Int, hidden: Int, bias: Bool, activation: Activation, in f: inout Forward
  ) throws(PlanError) {
    self.init(
      gate: try f.linear(
        "gate_proj", weight: "mlp.shared_experts.gate_proj.weight",
        bias: bias ? "mlp.shared_experts.gate_proj.bias" : nil, input: hidden, output: width),
      up: try f.linear(
        "up_proj", weight: "mlp.shared_experts.up_proj.weight",
        bias: bias ? "mlp.shared_experts.up_proj.bias" : nil, input: hidden, output: width),
      down: try f.linear(
        "down_proj", weight: "mlp.shared_experts.down_proj.weight",
        bias: bias ? "mlp.shared_experts.down_proj.bias" : nil, input: width, output: hidden),
      activation: activation)
  }
}

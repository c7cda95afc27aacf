/// The Llama lineage: pre-norm layers of rotary attention with grouped heads and a gated MLP.
///
/// RoPE scaling (`rope_scaling`, `rope_parameters`) changes angles and no size, so it is not read.
///
/// Source: `modeling_llama.py`, `modeling_mistral.py`, `modeling_qwen2.py`, `modeling_qwen3.py`, transformers 5.17.
struct Llama: ModelFamily {
  static let modelType = "llama"

  var sizes: DecoderSizes
  /// Biases of the q, k and v projections.
  var inputBias = false
  /// A bias of the output projection.
  var outputBias = false
  /// Biases of the MLP.
  var mlpBias = false
  /// Norms over each query and key head.
  var headNorms = false
  /// What the gate is passed through (`hidden_act`).
  let activation: Activation
  /// Keys that a query can see, or `nil` for all before it.
  var window: Int?

  init(_ config: inout Settings) throws(PlanError) {
    try self.init(&config, .init())
    let bias = try config.bool("attention_bias", default: false)
    inputBias = bias
    outputBias = bias
    mlpBias = try config.bool("mlp_bias", default: false)
  }

  /// The sizes that the whole lineage shares.
  init(_ config: inout Settings, _ defaults: DecoderSizes.Defaults) throws(PlanError) {
    sizes = try DecoderSizes(&config, defaults)
    activation = try config.choice("hidden_act", default: .silu)
  }

  var linearModules: [String] { Self.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { sizes.tied }
  var sharesSequences: Bool { window == nil }

  /// The projections of a layer with separate q, k, v and a gated MLP.
  static let linearModules = [
    "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
  ]

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    let sizes = try self.sizes.cut(by: context.mesh)
    try checkCut(by: context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.window = window
    decoder.slides = [window != nil]
    return try decoder.graph(context) { (f) throws(PlanError) in
      try RMSNorm("norm", weight: "norm.weight", width: sizes.hidden, in: &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(sizes, around, in: &f)(x, around, in: &f)
    }
  }

  /// Refuses what was never measured on `DTensor`s.
  private func checkCut(by mesh: Mesh) throws(PlanError) {
    if headNorms, mesh.cutsSequence {
      throw PlanError(
        .unsupported, "norms over single heads with sequence_parallel cannot be planned yet",
        path: "strategies.sequence_parallel", fix: "Leave it out.")
    }
    if outputBias || mlpBias, mesh.cutsSequence {
      throw PlanError(
        .unsupported,
        "biases of results that devices add up cannot be planned with sequence_parallel yet",
        path: "strategies.sequence_parallel",
        fix: "Set attention_bias and mlp_bias of the model to false, or leave it out.")
    }
  }

  /// Declares one layer.
  private func layer(
    _ sizes: DecoderSizes, _ around: RotaryAttention.Surroundings, in f: inout Forward
  ) throws(PlanError) -> DecoderLayer {
    let projections = try SeparateProjections(
      sizes, bias: inputBias, outputBias: outputBias,
      treatment: headNorms ? .headNorms : .none, in: &f)
    let attention = RotaryAttention(sizes, projections: projections, window: around.window)
    let mlp = try GatedMLP(
      hidden: sizes.hidden, intermediate: sizes.intermediate, bias: mlpBias, activation: activation,
      in: &f)
    return DecoderLayer(
      attention: attention, feedForward: mlp,
      beforeAttention: try RMSNorm(
        "input_layernorm", weight: "input_layernorm.weight", width: sizes.hidden, in: &f),
      beforeFeedForward: try RMSNorm(
        "post_attention_layernorm", weight: "post_attention_layernorm.weight",
        width: sizes.hidden, in: &f))
  }
}

/// A decoder described by Megatron-LM's own arguments, for `"framework": "megatron"`.
///
/// Keys are the arguments with underscores: `num_layers`, `hidden_size`, `num_query_groups`, `swiglu`, …
///
/// Source: `megatron/training/arguments.py` of Megatron-LM, core 0.16.1: names, defaults, what follows from what.
struct MegatronGPT: ModelFamily {
  static let modelType = "megatron_gpt"

  var sizes: MegatronSizes

  /// As another family's config says.
  init(_ sizes: MegatronSizes) { self.sizes = sizes }

  private enum Normalization: String, CaseIterable {
    case layerNorm = "LayerNorm"
    case rms = "RMSNorm"
  }

  private enum PositionEmbedding: String, CaseIterable {
    case learned = "learned_absolute"
    case rope, none
  }

  init(_ config: inout Settings) throws(PlanError) {
    let hidden = try config.integer("hidden_size", in: 1...1_000_000)
    let heads = try config.integer("num_attention_heads", in: 1...100_000)
    let isGated = try config.bool("swiglu", default: false)
    let groups = try config.optionalInteger("num_query_groups", in: 1...100_000) ?? heads
    let width = try config.optionalInteger("kv_channels", in: 1...100_000)
    if width == nil, hidden % heads != 0 {
      throw PlanError(
        .invalid, "\(heads) attention heads do not divide a hidden size of \(hidden)",
        path: config.place("num_attention_heads"),
        fix: "Choose a number of heads that divides hidden_size, or give kv_channels.")
    }
    guard heads % groups == 0 else {
      throw PlanError(
        .invalid, "\(groups) query groups do not divide \(heads) attention heads",
        path: config.place("num_query_groups"),
        fix: "Choose a number that divides num_attention_heads.")
    }
    // `int((4 * hidden * 2 / 3) / 64) * 64` for gated layers.
    let inner = isGated ? hidden * 8 / 3 / 64 * 64 : 4 * hidden
    sizes = MegatronSizes(
      vocabulary: try config.integer("vocab_size", in: 1...10_000_000), hidden: hidden,
      layers: try config.integer("num_layers", in: 1...100_000), heads: heads, keyHeads: groups,
      headWidth: width ?? hidden / heads,
      feedForward: try config.integer("ffn_hidden_size", in: 1...10_000_000, default: max(inner, 1)))
    sizes.isGated = isGated
    sizes.usesRMSNorm =
      try config.choice("normalization", default: Normalization.layerNorm) == .rms
    sizes.addsBias = try config.bool("add_bias_linear", default: true)
    sizes.addsQueryBias = try config.bool("add_qkv_bias", default: false)
    sizes.normsHeads = try config.bool("qk_layernorm", default: false)
    sizes.isTied = try !config.bool("untie_embeddings_and_output_weights", default: false)
    sizes.dropsHidden = try config.drops("hidden_dropout", default: 0.1)
    sizes.dropsAttention = try config.drops("attention_dropout", default: 0.1)
    sizes.vocabularyUnit = try config.integer(
      "make_vocab_size_divisible_by", in: 1...1_000_000, default: 128)
    switch try config.choice("position_embedding_type", default: PositionEmbedding.learned) {
    case .learned:
      sizes.positions = .learned(
        try config.integer("max_position_embeddings", in: 1...100_000_000))
    case .rope: sizes.positions = .rotary
    case .none: sizes.positions = .none
    }
  }

  var linearModules: [String] { [] }
  var megatron: MegatronSizes? { sizes }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    guard context.framework == .megatron else {
      throw PlanError(
        .conflict, "a model of Megatron's arguments is planned as Megatron runs it",
        path: "framework", fix: "Write \"framework\": \"megatron\".")
    }
    return try MegatronDecoder(sizes: sizes).graph(context)
  }
}

extension Model {
  /// The model as a framework writes it.
  ///
  /// - Throws: ``PlanError`` where Megatron has no such layers.
  func written(by framework: Framework) throws(PlanError) -> Model {
    guard framework == .megatron else { return self }
    guard let sizes = family.megatron else {
      throw PlanError(
        .unsupported, "\(type(of: family).modelType) cannot be planned as Megatron's layers",
        path: "framework",
        fix: "Use a model of type llama, mistral, qwen2, qwen3, gpt2, or a config of Megatron's arguments with "
          + "\"model_type\": \"megatron_gpt\".")
    }
    var model = self
    model.family = MegatronGPT(sizes)
    return model
  }
}

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
      feedForward: try config.integer("ffn_hidden_size", in: 1...10_000_000, default: max(inner, 1))
    )
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
    sizes.experts = try Self.experts(&config, sizes)
    if try config.bool("multi_latent_attention", default: false) {
      sizes.latent = MegatronLatentSizes(
        queryRank: try config.optionalInteger("q_lora_rank", in: 1...1_000_000),
        keyRank: try config.integer("kv_lora_rank", in: 1...1_000_000, default: 32),
        plainWidth: try config.integer("qk_head_dim", in: 1...100_000, default: 128),
        rotaryWidth: try config.integer("qk_pos_emb_head_dim", in: 1...100_000, default: 64),
        valueWidth: try config.integer("v_head_dim", in: 1...100_000, default: 128))
    }
  }

  /// `moe_layer_freq` is a number n, for experts in every n-th layer, or a list of one 0 or 1 for each layer.
  private static func experts(_ config: inout Settings, _ sizes: MegatronSizes) throws(PlanError)
    -> MegatronExpertSizes?
  {
    guard let count = try config.optionalInteger("num_experts", in: 1...100_000) else { return nil }
    var experts = MegatronExpertSizes(
      count: count,
      choices: try config.integer("moe_router_topk", in: 1...count, default: min(2, count)),
      feedForward: try config.integer(
        "moe_ffn_hidden_size", in: 1...10_000_000, default: sizes.feedForward),
      shared: try config.optionalInteger(
        "moe_shared_expert_intermediate_size", in: 1...10_000_000))
    experts.isGrouped = try config.bool("moe_grouped_gemm", default: false)
    guard case .array? = config.value("moe_layer_freq") else {
      let every = try config.integer("moe_layer_freq", in: 1...100_000, default: 1)
      experts.pattern = [true] + Array(repeating: false, count: every - 1)
      return experts
    }
    let list = try config.optionalIntegers("moe_layer_freq", in: 0...1) ?? []
    guard list.count == sizes.layers else {
      throw PlanError(
        .invalid, "moe_layer_freq has \(list.count) entries for \(sizes.layers) layers",
        path: config.place("moe_layer_freq"), fix: "Write one 0 or 1 for each layer.")
    }
    experts.leadingDense = list.firstIndex(of: 1) ?? list.count
    let rest = list.dropFirst(experts.leadingDense).map { $0 == 1 }
    experts.pattern = rest.allSatisfy { $0 } ? [true] : rest
    return experts
  }

  var linearModules: [String] { [] }
  var routedExperts: RoutedExperts? {
    sizes.experts.map { RoutedExperts(count: $0.count, choices: $0.choices) }
  }
  var megatron: MegatronSizes? { sizes }
  var assumptions: [Assumption] { sizes.experts == nil ? [] : [.evenExperts] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    guard context.framework == .megatron else {
      throw PlanError(
        .conflict, "a model of Megatron's arguments is planned as Megatron runs it",
        path: "framework", fix: "Write \"framework\": \"megatron\".")
    }
    return try MegatronDecoder(sizes: sizes).graph(context)
  }
}

extension Assumption {
  /// What Megatron's mixtures take for granted.
  fileprivate static let evenExperts = Assumption(
    "even_experts",
    "tokens spread evenly over the experts; with expert parallelism a device whose experts are chosen more often needs more",
    source: "MoELayer, Megatron core 0.16.1")
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
        fix:
          "Use a model of type llama, mistral, qwen2, qwen3, gpt2, or a config of Megatron's arguments with "
          + "\"model_type\": \"megatron_gpt\".")
    }
    var model = self
    model.family = MegatronGPT(sizes)
    return model
  }
}

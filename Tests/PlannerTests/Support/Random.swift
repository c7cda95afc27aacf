@testable import Planner

extension Scenario {
  /// Every family.
  private static let families = [
    "bloom", "deepseek_v2", "deepseek_v3", "falcon", "gemma", "gemma2", "gemma3_text", "gpt2",
    "gpt_neox", "llama", "mistral", "mixtral", "olmo", "olmo2", "opt", "phi", "phi3", "qwen2",
    "qwen2_moe", "qwen3", "qwen3_moe", "starcoder2", "bert", "roberta", "vit", "t5",
  ]

  /// A random small scenario of any family, precision, attention, strategy and optimizer.
  static func random(_ seed: UInt64) throws -> Scenario {
    var g = SplitMix(state: seed &* 7919 &+ 1)
    let family = families.randomElement(using: &g) ?? "llama"
    let keyHeads = [1, 2, 4].randomElement(using: &g) ?? 1
    let heads = keyHeads * ([1, 2, 4].randomElement(using: &g) ?? 1)
    let width = [32, 64, 128].randomElement(using: &g) ?? 64
    var config: [JSONValue.Member] = [
      .init("model_type", .string(family)),
      .init("hidden_size", .integer(heads * width)),
      .init("intermediate_size", .integer(Int.random(in: 64...4096, using: &g))),
      .init("num_hidden_layers", .integer(Int.random(in: 1...9, using: &g))),
      .init("num_attention_heads", .integer(heads)),
      .init(
        "num_key_value_heads", .integer(family.hasPrefix("deepseek") ? heads : keyHeads)),
      .init("vocab_size", .integer(Int.random(in: 100...50_000, using: &g))),
      .init("tie_word_embeddings", .bool(.random(using: &g))),
      .init("head_dim", .integer(width)),
      .init("attention_dropout", .number(.random(using: &g) ? 0.1 : 0)),
    ]
    let own = familyKeys(family, using: &g)
    config = config.filter { member in !own.contains { $0.key == member.key } } + own
    var settings = try Settings(.object(config), path: "model")
    let type = try requireFamily(family)
    let model = Model(name: family, family: try type.init(&settings))
    var strategies: [any Strategy] = []
    if .random(using: &g) {
      let policy: ActivationCheckpointing.Policy =
        switch Int.random(in: 0...3, using: &g) {
        case 0: .full
        case 1: .every(Int.random(in: 1...5, using: &g))
        case 2: .first(Int.random(in: 0...6, using: &g))
        default: .none
        }
      strategies.append(
        ActivationCheckpointing(
          policy, reentrant: Int.random(in: 0...3, using: &g) == 0 && family != "t5",
          earlyStop: .random(using: &g)))
    }
    if Int.random(in: 0...2, using: &g) == 0 {
      let all = model.family.linearModules
      let targets = [Array(all.suffix(1)), ["all-linear"], [all[0], all[all.count - 1]]]
        .randomElement(using: &g)
      strategies.append(
        LoRA(
          rank: Int.random(in: 1...64, using: &g),
          targetModules: targets ?? [],
          adapterPrecision: .random(using: &g) ? .fp32 : .base,
          dropout: .random(using: &g) ? 0.1 : 0, baseQuantization: quantization(using: &g),
          preparesForKbitTraining: .random(using: &g),
          decomposesWeight: Int.random(in: 0...3, using: &g) == 0))
    }
    let implementation = OptimizerImplementation.allCases.randomElement(using: &g) ?? .foreach
    let adapts = strategies.contains { $0 is LoRA }
    var optimizer: any Optimizer =
      .random(using: &g) ? AdamW(implementation) : SGD(implementation, momentum: 0.9)
    if !adapts, ["llama", "qwen2", "falcon", "phi"].contains(family) {
      optimizer = try lowRank(using: &g) ?? optimizer
    }
    let devices = ["rtx-4090", "h100-sxm", "a100-80gb-sxm", "rtx-3090"]
    let device = DeviceCatalog.named(devices.randomElement(using: &g) ?? "") ?? DeviceCatalog.all[0]
    var precision = Precision.allCases.randomElement(using: &g) ?? .bf16True
    if adapts || device.computeCapability < 89 || family == "vit", precision == .fp8Mixed {
      precision = .bf16Mixed
    }
    if family == "t5", precision == .fp16True || precision == .fp8Mixed { precision = .bf16Mixed }
    let kernelSet = randomKernels(for: family, using: &g)
    let keepOutputs = Bool.random(using: &g)
    let losses: [LossImplementation] =
      kernelSet == .liger
      ? [.transformers]
      : [.transformers, .transformers448]
        + (keepOutputs ? [] : [.chunked(.random(in: 1...16, using: &g))])
    return Scenario(
      name: "seed \(seed)", model: model,
      workload: Workload(
        microBatchSize: Int.random(in: 1...4, using: &g),
        sequenceLength: Int.random(in: 16...(family == "gpt2" ? 1024 : 2048), using: &g)
          / (precision == .fp8Mixed ? 16 : 1) * (precision == .fp8Mixed ? 16 : 1),
        targetSequenceLength: family == "t5" ? Int.random(in: 1...1024, using: &g) : nil,
        gradientAccumulationSteps: Int.random(in: 1...4, using: &g),
        keepOutputs: keepOutputs),
      precision: precision,
      attention: .random(using: &g) ? .sdpa : .eager, optimizer: optimizer,
      gradientClipping: .random(using: &g) ? 1 : nil, strategies: strategies, device: device,
      loss: losses.randomElement(using: &g) ?? .transformers, kernelSet: kernelSet)
  }

  /// A low-rank optimizer half of the time.
  private static func lowRank(using g: inout SplitMix) throws -> (any Optimizer)? {
    guard Bool.random(using: &g) else { return nil }
    let types: [any Optimizer.Type] = [
      GaLoreAdamW.self, GaLoreAdamW8bit.self, ApolloAdamW.self,
    ]
    let rank = JSONValue.integer(Int.random(in: 1...300, using: &g))
    var settings = try Settings(["rank": rank], path: "optimizer", keys: ApolloAdamW.keys)
    return try types.randomElement(using: &g)?.init(&settings)
  }

  /// Half of the scenarios of a family that Liger covers take its kernels.
  private static func randomKernels(for family: String, using g: inout SplitMix) -> KernelSet {
    LigerKernels.familyNames.contains(family) && .random(using: &g) ? .liger : .torch
  }

  /// A quantized base half of the time.
  private static func quantization(using g: inout SplitMix) -> BaseQuantization? {
    guard .random(using: &g) else { return nil }
    let format = BaseQuantization.Format.allCases.randomElement(using: &g) ?? .nf4
    return BaseQuantization(format, doublyQuantized: .random(using: &g))
  }

  /// Keys that only some families read.
  private static func familyKeys(_ family: String, using g: inout SplitMix) -> [JSONValue.Member] {
    let window = JSONValue.integer([64, 512, 100_000].randomElement(using: &g) ?? 64)
    func drops(_ keys: [String]) -> [JSONValue.Member] {
      keys.map { .init($0, .number(.random(using: &g) ? 0.1 : 0)) }
    }
    switch family {
    case "mistral": return [.init("sliding_window", window)]
    case "starcoder2":
      return [.init("sliding_window", window)] + drops(["residual_dropout", "embedding_dropout"])
    case "falcon":
      return ["new_decoder_architecture", "multi_query", "bias"].map {
        .init($0, .bool(.random(using: &g)))
      } + drops(["attention_dropout", "hidden_dropout"])
    case "bloom", "gpt_neox":
      return drops(["attention_dropout", "hidden_dropout"])
    case "gpt2", "phi": return drops(["attn_pdrop", "resid_pdrop", "embd_pdrop"])
    case "bert", "roberta":
      return drops(["attention_probs_dropout_prob", "hidden_dropout_prob"]) + [
        .init("tie_word_embeddings", .bool(true)), .init("max_position_embeddings", .integer(4096)),
      ]
    case "vit":
      return drops(["attention_probs_dropout_prob", "hidden_dropout_prob"]) + [
        .init("image_size", .integer([64, 224].randomElement(using: &g) ?? 64)),
        .init("patch_size", .integer([14, 16, 64].randomElement(using: &g) ?? 16)),
        .init("qkv_bias", .bool(.random(using: &g))),
        .init("num_labels", .integer(Int.random(in: 2...1000, using: &g))),
      ]
    case "opt":
      return drops(["attention_dropout", "dropout"]) + [
        .init("do_layer_norm_before", .bool(.random(using: &g))),
        .init("word_embed_proj_dim", .integer([64, 128].randomElement(using: &g) ?? 64)),
      ]
    case "gemma2", "gemma3_text":
      return [
        .init("sliding_window", window),
        .init("sliding_window_pattern", .integer(Int.random(in: 1...4, using: &g))),
        .init("final_logit_softcapping", .random(using: &g) ? 30 : .null),
      ]
    case "phi3":
      return [
        .init("sliding_window", .random(using: &g) ? window : .null),
        .init("partial_rotary_factor", .number(.random(using: &g) ? 0.75 : 1)),
        .init("resid_pdrop", .number(.random(using: &g) ? 0.1 : 0)),
      ]
    case "deepseek_v2", "deepseek_v3":
      let groups = Int.random(in: 1...4, using: &g)
      return [
        .init("n_routed_experts", .integer(groups * Int.random(in: 4...8, using: &g))),
        .init("num_experts_per_tok", .integer(Int.random(in: 1...4, using: &g))),
        .init("n_group", .integer(groups)),
        .init("topk_group", .integer(Int.random(in: 1...groups, using: &g))),
        .init("n_shared_experts", .integer(Int.random(in: 1...2, using: &g))),
        .init("topk_method", .random(using: &g) ? "greedy" : "group_limited_greedy"),
        .init("first_k_dense_replace", .integer(Int.random(in: 0...4, using: &g))),
        .init("moe_intermediate_size", .integer(Int.random(in: 32...512, using: &g))),
        .init("kv_lora_rank", .integer(Int.random(in: 16...256, using: &g))),
        .init("q_lora_rank", .random(using: &g) ? .null : 96),
        .init("qk_nope_head_dim", .integer([64, 128].randomElement(using: &g) ?? 64)),
        .init("v_head_dim", .integer([32, 128].randomElement(using: &g) ?? 32)),
        .init("rope_interleave", .bool(.random(using: &g))),
        .init("norm_topk_prob", .bool(.random(using: &g))),
        .init("mlp_bias", .bool(.random(using: &g))),
        .init("attention_bias", .bool(.random(using: &g))),
      ]
    case "mixtral": return mixtureKeys("num_local_experts", using: &g)
    case "qwen2_moe", "qwen3_moe":
      let dense = Int.random(in: 0...3, using: &g)
      return mixtureKeys("num_experts", using: &g) + [
        .init("moe_intermediate_size", .integer(Int.random(in: 32...512, using: &g))),
        .init("shared_expert_intermediate_size", .integer(Int.random(in: 32...512, using: &g))),
        .init("norm_topk_prob", .bool(.random(using: &g))),
        .init("decoder_sparse_step", .integer(Int.random(in: 1...3, using: &g))),
        .init("mlp_only_layers", .array(dense == 0 ? [] : [.integer(dense)])),
      ]
    case "t5":
      return drops(["dropout_rate"]) + [
        .init("num_decoder_layers", .integer(Int.random(in: 1...9, using: &g))),
        .init("d_ff", .integer(Int.random(in: 64...2048, using: &g))),
        .init("feed_forward_proj", .random(using: &g) ? "relu" : "gated-gelu"),
      ]
    case "olmo": return [.init("clip_qkv", .random(using: &g) ? 8 : .null)]
    default: return []
    }
  }

  private static func mixtureKeys(_ count: String, using g: inout SplitMix) -> [JSONValue.Member] {
    let choices = Int.random(in: 1...4, using: &g)
    return [
      .init("num_experts_per_tok", .integer(choices)),
      .init(count, .integer(Int.random(in: choices...16, using: &g))),
    ]
  }

  private static func requireFamily(_ name: String) throws -> any ModelFamily.Type {
    guard let family = ModelFamilies.named(name) else {
      throw PlanError(.defect, "no family \(name)", fix: "")
    }
    return family
  }
}

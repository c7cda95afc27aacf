@testable import Planner

extension Scenario {
  /// A random small scenario of any family, precision, attention, strategy and optimizer.
  static func random(_ seed: UInt64) throws -> Scenario {
    var g = SplitMix(state: seed &* 7919 &+ 1)
    let families = [
      "llama", "mistral", "qwen2", "qwen3", "bloom", "falcon", "gpt2", "gpt_neox", "opt", "phi",
      "starcoder2",
    ]
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
      .init("num_key_value_heads", .integer(keyHeads)),
      .init("vocab_size", .integer(Int.random(in: 100...50_000, using: &g))),
      .init("tie_word_embeddings", .bool(.random(using: &g))),
      .init("head_dim", .integer(width)),
    ]
    if family == "falcon" {
      config += [
        .init("new_decoder_architecture", .bool(.random(using: &g))),
        .init("num_kv_heads", .integer(keyHeads)), .init("multi_query", .bool(.random(using: &g))),
        .init("bias", .bool(.random(using: &g))),
      ]
    }
    for dropout in ["attention_dropout", "hidden_dropout", "attn_pdrop", "dropout", "resid_pdrop"] {
      config.append(.init(dropout, .number(.random(using: &g) ? 0.1 : 0)))
    }
    if family == "mistral" || family == "starcoder2" {
      config.append(
        .init("sliding_window", .integer([64, 100_000].randomElement(using: &g) ?? 64)))
    }
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
          policy, reentrant: Int.random(in: 0...3, using: &g) == 0, earlyStop: .random(using: &g)))
    }
    if Int.random(in: 0...2, using: &g) == 0 {
      let llamaLike = ["llama", "mistral", "qwen2", "qwen3"].contains(family)
      let targets =
        llamaLike
        ? [["q_proj", "v_proj"], ["all-linear"], ["down_proj"]].randomElement(using: &g)
        : ["all-linear"]
      strategies.append(
        LoRA(
          rank: Int.random(in: 1...64, using: &g), targetModules: targets ?? [],
          adapterPrecision: .random(using: &g) ? .fp32 : .base,
          dropout: .random(using: &g) ? 0.1 : 0))
    }
    let implementation = OptimizerImplementation.allCases.randomElement(using: &g) ?? .foreach
    let optimizer: any Optimizer =
      .random(using: &g) ? AdamW(implementation) : SGD(implementation, momentum: 0.9)
    let devices = ["rtx-4090", "h100-sxm", "a100-80gb-sxm", "rtx-3090"]
    let device = DeviceCatalog.named(devices.randomElement(using: &g) ?? "") ?? DeviceCatalog.all[0]
    return Scenario(
      name: "seed \(seed)", model: model,
      workload: Workload(
        microBatchSize: Int.random(in: 1...4, using: &g),
        sequenceLength: Int.random(in: 16...(family == "gpt2" ? 1024 : 2048), using: &g),
        gradientAccumulationSteps: Int.random(in: 1...4, using: &g),
        keepOutputs: .random(using: &g)),
      precision: Precision.allCases.randomElement(using: &g) ?? .bf16True,
      attention: .random(using: &g) ? .sdpa : .eager, optimizer: optimizer,
      gradientClipping: .random(using: &g) ? 1 : nil, strategies: strategies, device: device)
  }

  private static func requireFamily(_ name: String) throws -> any ModelFamily.Type {
    guard let family = ModelFamilies.named(name) else {
      throw PlanError(.defect, "no family \(name)", fix: "")
    }
    return family
  }
}

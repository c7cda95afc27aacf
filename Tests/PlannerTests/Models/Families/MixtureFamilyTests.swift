import Testing

@testable import Planner

@Suite("Configs of mixtures of experts") struct MixtureFamilyTests {
  private func plan(_ config: JSONValue) throws -> Report {
    try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(["model": config, "workload": ["micro_batch_size": 1, "sequence_length": 128]]))
  }

  private func error(_ config: JSONValue) -> PlanError? {
    do {
      _ = try plan(config)
      return nil
    } catch { return error as? PlanError }
  }

  static let types = ["deepseek_v2", "deepseek_v3", "mixtral", "qwen2_moe", "qwen3_moe"]

  @Test("may leave every key out", arguments: types) func defaults(type: String) throws {
    #expect(try plan(["model_type": .string(type)]).parameters > 1_000_000_000)
  }

  @Test("name the key where a token would go to more experts than there are", arguments: types)
  func choices(type: String) {
    let wrong = error(["model_type": .string(type), "num_experts_per_tok": 1000])
    #expect(wrong?.path == "model.num_experts_per_tok")
  }

  @Test("refuse what changes the plan and is not planned") func refused() {
    for type in Self.types {
      let auxiliary = error(["model_type": .string(type), "output_router_logits": true])
      #expect(auxiliary?.path == "model.output_router_logits", "\(type)")
    }
    #expect(
      error(["model_type": "mixtral", "router_jitter_noise": 0.1])?.path
        == "model.router_jitter_noise")
    #expect(
      error(["model_type": "qwen3_moe", "mlp_only_layers": ["0"]])?.path
        == "model.mlp_only_layers[0]")
  }

  @Test("name the key that latent attention cannot use") func latent() {
    let few = error(["model_type": "deepseek_v3", "num_key_value_heads": 8])
    #expect(few?.path == "model.num_key_value_heads")
    let odd = error(["model_type": "deepseek_v2", "qk_rope_head_dim": 33])
    #expect(odd?.path == "model.qk_rope_head_dim")
    #expect(error(["model_type": "deepseek_v3", "n_group": 7])?.path == "model.n_group")
    #expect(error(["model_type": "deepseek_v3", "topk_group": 9])?.path == "model.topk_group")
    let grouped = error(["model_type": "deepseek_v2", "topk_method": "group_limited_greedy"])
    #expect(grouped?.path == "model.n_group")
    #expect(
      error(["model_type": "deepseek_v2", "topk_method": "noaux"])?.path == "model.topk_method")
  }

  @Test("may have an MLP in every layer") func allDense() throws {
    let config: JSONValue = [
      "model_type": "deepseek_v2", "first_k_dense_replace": 100, "num_hidden_layers": 2,
      "hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 10,
    ]
    #expect(try plan(config).parameters > 0)
  }

  @Test("survive sizes far beyond what exists") func overflow() {
    let wrong = error([
      "model_type": "mixtral", "num_local_experts": 100_000, "hidden_size": 1_000_000,
      "intermediate_size": 10_000_000, "num_attention_heads": 100,
    ])
    #expect(wrong != nil)
  }

  @Test("count layers with an MLP where the config asks for them") func denseLayers() throws {
    let config: JSONValue = [
      "model_type": "qwen3_moe", "hidden_size": 64, "intermediate_size": 96,
      "moe_intermediate_size": 32, "num_hidden_layers": 5, "num_attention_heads": 4,
      "num_key_value_heads": 2, "vocab_size": 100, "num_experts": 4, "num_experts_per_tok": 2,
      "mlp_only_layers": [0], "decoder_sparse_step": 2,
    ]
    // Layers 1 and 3 have experts, the others an MLP.
    let attention = 2 * 64 * 16 * (4 + 2) + 2 * 16 + 2 * 64
    let mixture = 4 * 3 * 64 * 32 + 4 * 64
    let sum = 5 * attention + 2 * mixture + 3 * 3 * 64 * 96 + 2 * 100 * 64 + 64
    #expect(try plan(config).parameters == sum)
  }
}

import Testing

@testable import Planner

@Suite("The catalog's mixtures of experts") struct MixtureModelTests {
  static let models = ModelCatalog.all.filter { $0.config["num_experts_per_tok"] != nil }

  @Test("have sizes that add up to the parameter count") func parameters() throws {
    for model in Self.models {
      let c = Sizes(model.config)
      let layers = c["num_hidden_layers"]
      let dense = c["first_k_dense_replace", 0]
      let hidden = c["hidden_size"]
      let mixture = c["moe_intermediate_size", c["intermediate_size"]]
      let experts = c["num_local_experts", c["num_experts", c["n_routed_experts", 0]]]
      let everywhere = attention(c, hidden) + 2 * hidden
      let routed = experts * 3 * hidden * mixture + experts * hidden
      let shared = 3 * hidden * mixture * c["n_shared_experts", 0]
      let plain = 3 * hidden * c["intermediate_size"]
      let sum =
        layers * everywhere + (layers - dense) * (routed + shared) + dense * plain
        + 2 * c["vocab_size"] * hidden + hidden
      #expect(sum == model.parameters, "\(model.id)")
    }
  }

  /// Weights of attention: with latent vectors where the config gives their rank.
  private func attention(_ c: Sizes, _ hidden: Int) -> Int {
    let heads = c["num_attention_heads"]
    let rank = c["kv_lora_rank", 0]
    guard rank > 0 else {
      let head = c["head_dim", hidden / heads]
      let norms = c.config["model_type"] == "qwen3_moe" ? 2 * head : 0
      return 2 * hidden * head * (heads + c["num_key_value_heads"]) + norms
    }
    let (plain, turned, value) = (c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"])
    let queries = heads * (plain + turned)
    let down = c["q_lora_rank", 0]
    return (down == 0 ? hidden * queries : down * (hidden + queries) + down)
      + hidden * (rank + turned) + rank + rank * heads * (plain + value)
      + heads * value * hidden
  }

  private struct Sizes {
    let config: JSONValue
    init(_ config: JSONValue) { self.config = config }
    subscript(_ key: String, _ default: Int = -1) -> Int { config.integer(key) ?? `default` }
  }

  @Test(
    "use as many parameters for a token as published",
    arguments: [
      ("mixtral-8x7b", 12_879_925_248), ("mixtral-8x22b", 39_161_468_928),
      ("qwen3-30b-a3b", 3_353_032_704), ("deepseek-v2-lite", 2_661_150_208),
      ("deepseek-v2", 21_375_800_320), ("deepseek-v3", 37_552_282_624),
    ])
  func active(id: String, expected: Int) throws {
    let report = try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(["model": .string(id), "workload": ["micro_batch_size": 1, "sequence_length": 16]]))
    #expect(report.activeParameters == expected)
  }

  @Test("are all there") func count() { #expect(Self.models.count == 6) }
}

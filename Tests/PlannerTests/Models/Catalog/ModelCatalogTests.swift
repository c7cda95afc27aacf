import Testing

@testable import Planner

@Suite("The model catalog") struct ModelCatalogTests {
  @Test("names each model once")
  func unique() {
    #expect(Set(ModelCatalog.all.map(\.id)).count == ModelCatalog.all.count)
    #expect(Set(ModelCatalog.all.map(\.hub)).count == ModelCatalog.all.count)
    for model in ModelCatalog.all { #expect(model.id == model.id.lowercased()) }
  }

  @Test("finds a model by its id and by its name on the hub, in any case")
  func named() {
    #expect(ModelCatalog.named("llama-2-7b")?.parameters == 6_738_415_616)
    #expect(ModelCatalog.named("Meta-Llama/LLAMA-2-7b-HF")?.id == "llama-2-7b")
    #expect(ModelCatalog.named("llama-2-8b") == nil)
  }

  @Test(
    "gives configs whose sizes add up to the parameter count",
    arguments: ModelCatalog.all.filter(isLlamaLike).map(\.id))
  func parameters(id: String) throws {
    let model = try #require(ModelCatalog.named(id))
    let hidden = try size("hidden_size", of: model)
    let heads = try size("num_attention_heads", of: model)
    let ownHeadSize = model.config["head_dim"] != nil
    let headSize = ownHeadSize ? try size("head_dim", of: model) : hidden / heads
    let queries = heads * headSize
    let keys = try size("num_key_value_heads", of: model) * headSize
    var layer = 2 * hidden * queries + 2 * hidden * keys
    layer += try 3 * hidden * size("intermediate_size", of: model)
    var (norms, finalNorm) = (2 * hidden, hidden)
    switch model.config["model_type"] {
    case "qwen2": layer += queries + 2 * keys
    case "qwen3": layer += 2 * headSize
    case "gemma2": norms = 4 * hidden
    case "gemma3_text": norms = 4 * hidden + 2 * headSize
    case "olmo": (norms, finalNorm) = (0, 0)
    case "olmo2": layer += queries + keys
    default: break
    }
    layer += norms
    let tied = model.config["tie_word_embeddings"] == true
    let tables = try size("vocab_size", of: model) * hidden * (tied ? 1 : 2)
    #expect(
      try tables + size("num_hidden_layers", of: model) * layer + finalNorm == model.parameters)
  }

  @Test(
    "gives configs that the planner counts to the same number",
    arguments: ModelCatalog.all.map(\.id))
  func planned(id: String) throws {
    let report = try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read([
        "model": .string(id), "workload": ["micro_batch_size": 1, "sequence_length": 128],
      ]))
    #expect(report.parameters == ModelCatalog.named(id)?.parameters)
  }

  private static func isLlamaLike(_ model: CatalogModel) -> Bool {
    ![
      "bert", "bloom", "deepseek_v2", "deepseek_v3", "falcon", "gpt2", "gpt_neox", "mixtral", "opt",
      "phi", "qwen2_moe",
      "qwen3_moe",
      "starcoder2", "t5", "vit",
    ].contains(model.config["model_type"])
  }

  private func size(_ key: String, of model: CatalogModel) throws -> Int {
    guard case .integer(let number)? = model.config[key] else {
      throw PlanError(.defect, "\(model.id) has no \(key)", fix: "Add it to the catalog.")
    }
    return number
  }
}

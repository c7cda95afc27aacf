import Testing

@testable import Planner

@Suite("Configs of encoders") struct EncoderFamilyTests {
  private func report(_ config: JSONValue, sequence: Int = 128) throws(PlanError) -> Report {
    try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read([
        "model": config,
        "workload": ["micro_batch_size": 1, "sequence_length": .integer(sequence)],
      ]))
  }

  private func path(_ config: JSONValue, sequence: Int = 128) -> String? {
    do {
      _ = try report(config, sequence: sequence)
      return nil
    } catch { return error.path }
  }

  @Test("may leave every key out", arguments: [("bert", 109_514_298), ("vit", 85_800_194)])
  func defaults(type: String, parameters: Int) throws {
    #expect(try report(["model_type": .string(type)]).parameters == parameters)
  }

  @Test("count BERT's head where the hub's count has its pooler instead")
  func pooler() throws {
    let (hidden, vocabulary) = (768, 30_522)
    let head = hidden * hidden + hidden + 2 * hidden + vocabulary
    let pooler = hidden * hidden + hidden
    #expect(try report(["model_type": "bert"]).parameters - head + pooler == 109_482_240)
  }

  @Test("count positions from the padding's number on in RoBERTa") func positions() {
    #expect(path(["model_type": "bert"], sequence: 512) == nil)
    #expect(path(["model_type": "bert"], sequence: 513) == "workload.sequence_length")
    #expect(path(["model_type": "roberta"], sequence: 510) == nil)
    #expect(path(["model_type": "roberta"], sequence: 511) == "workload.sequence_length")
  }

  @Test("name the key that cannot be planned") func refused() {
    for type in ["bert", "roberta"] {
      #expect(path(["model_type": .string(type), "is_decoder": true]) == "model.is_decoder")
      #expect(
        path(["model_type": .string(type), "tie_word_embeddings": false])
          == "model.tie_word_embeddings")
      #expect(path(["model_type": .string(type), "hidden_act": "mish"]) == "model.hidden_act")
    }
    #expect(path(["model_type": "roberta", "pad_token_id": 9_000_000]) != nil)
    #expect(path(["model_type": "vit", "patch_size": 300]) == "model.patch_size")
    #expect(path(["model_type": "vit", "num_labels": 1]) == "model.num_labels")
    #expect(path(["model_type": "vit", "id2label": ["0": "cat"]]) == "model.id2label")
    #expect(
      path(["model_type": "vit", "num_attention_heads": 7]) == "model.num_attention_heads")
  }

  @Test("say that an image decides the tokens, not the sequence length") func tokens() throws {
    let short = try report(["model_type": "vit"], sequence: 1)
    let long = try report(["model_type": "vit"], sequence: 4096)
    #expect(short.phases.map(\.live) == long.phases.map(\.live))
    #expect(short.assumptions.contains { $0.text.contains("197 tokens") })
    let classes: JSONValue = [
      "model_type": "vit", "id2label": ["0": "cat", "1": "dog", "2": "owl"],
    ]
    #expect(try report(classes).parameters == short.parameters + 769)
  }
}

import Testing

@testable import Planner

@Suite("Configs of dense decoders") struct DenseFamilyTests {
  private func error(_ config: JSONValue) -> PlanError? {
    do {
      _ = try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(["model": config, "workload": ["micro_batch_size": 1, "sequence_length": 128]])
      return nil
    } catch {
      return error
    }
  }

  private func report(_ config: JSONValue) throws -> Report {
    try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(["model": config, "workload": ["micro_batch_size": 1, "sequence_length": 128]]))
  }

  @Test(
    "may leave every key out",
    arguments: ["gemma", "gemma2", "gemma3_text", "olmo", "olmo2", "phi3"])
  func defaults(type: String) throws {
    #expect(try report(["model_type": .string(type)]).parameters > 1_000_000_000)
  }

  @Test("name the key where heads do not divide") func heads() {
    for type in ["gemma", "gemma2", "gemma3_text", "olmo", "olmo2", "phi3"] {
      let wrong = error([
        "model_type": .string(type), "num_attention_heads": 6, "num_key_value_heads": 4,
        "head_dim": 64,
      ])
      #expect(wrong?.path == "model.num_key_value_heads", "\(type)")
    }
    let undivided = error(["model_type": "olmo2", "hidden_size": 1000, "num_attention_heads": 24])
    #expect(undivided?.path == "model.num_attention_heads")
    #expect(error(["model_type": "olmo", "head_dim": 33])?.path == "model.head_dim")
  }

  @Test("refuse layer types that nobody knows, or of another number of layers") func layerTypes() {
    let unknown = error([
      "model_type": "gemma2", "num_hidden_layers": 2,
      "layer_types": ["full_attention", "chunked_attention"],
    ])
    #expect(unknown?.path == "model.layer_types[1]")
    let few = error([
      "model_type": "gemma3_text", "num_hidden_layers": 2, "layer_types": ["full_attention"],
    ])
    #expect(few?.message == "1 layer types for 2 layers")
  }

  @Test("refuse what changes the plan and is not planned") func refused() {
    #expect(
      error(["model_type": "gemma2", "sliding_window": nil])?.path == "model.sliding_window")
    #expect(
      error(["model_type": "gemma3_text", "use_bidirectional_attention": true])?.path
        == "model.use_bidirectional_attention")
    for type in ["phi3", "llama", "mistral", "qwen2", "qwen3"] {
      #expect(
        error(["model_type": .string(type), "hidden_act": "mish"])?.path == "model.hidden_act")
    }
    #expect(
      error(["model_type": "phi3", "partial_rotary_factor": 0.001])?.path
        == "model.partial_rotary_factor")
    #expect(error(["model_type": "gemma3"])?.path == "model.text_config")
  }

  @Test("of Gemma 3 plan the text model, and say so") func textConfig() throws {
    let text: JSONValue = [
      "hidden_size": 2560, "intermediate_size": 10_240, "num_hidden_layers": 34,
      "sliding_window": 1024,
    ]
    let report = try report(["model_type": "gemma3", "text_config": text])
    #expect(report.parameters == 3_880_263_168)
    #expect(report.assumptions.contains { $0.name == "text_model_alone" })
  }

  @Test("read partial rotation from the rope parameters too") func partialRotation() throws {
    let config: JSONValue = ["model_type": "phi3", "partial_rotary_factor": 0.75]
    let nested: JSONValue = [
      "model_type": "phi3", "rope_parameters": ["partial_rotary_factor": 0.75],
    ]
    let whole: JSONValue = ["model_type": "phi3"]
    #expect(try report(config).peak.live == report(nested).peak.live)
    #expect(try report(config).peak.live != report(whole).peak.live)
  }

  @Test("with scaled rotary embeddings need what they need without") func ropeScaling() throws {
    let plain: JSONValue = ["model_type": "llama", "num_hidden_layers": 2]
    let scaled: JSONValue = [
      "model_type": "llama", "num_hidden_layers": 2,
      "rope_scaling": ["rope_type": "llama3", "factor": 8.0],
    ]
    #expect(try report(plain).peak == report(scaled).peak)
  }
}

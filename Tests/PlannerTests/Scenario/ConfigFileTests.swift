import Testing

@testable import Planner

@Suite("Real config.json files") struct ConfigFileTests {
  private static let llama: [JSONValue.Member] = [
    .init("model_type", "llama"), .init("hidden_size", 256), .init("intermediate_size", 512),
    .init("num_hidden_layers", 2), .init("num_attention_heads", 4), .init("vocab_size", 1000),
    .init("torch_dtype", "bfloat16"),
  ]

  /// 2 layers of 4·256² + 3·256·512 + 2·256, 2 tables of 1000·256, and the last norm.
  private static let parameters = 2 * (4 * 65_536 + 3 * 131_072 + 512) + 2 * 256_000 + 256

  private func read(_ files: [String: JSONValue]) throws(PlanError) -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      guard let value = files[path] else {
        throw PlanError(.unreadable, "there is no such file", path: path, fix: "Look.")
      }
      return value
    }.read([
      "schema": 1, "model": "m/config.json",
      "workload": ["micro_batch_size": 1, "sequence_length": 128],
    ])
  }

  private func error(_ files: [String: JSONValue]) -> PlanError? {
    do {
      _ = try read(files)
      return nil
    } catch { return error }
  }

  @Test("are read with what they do not say left to the family") func plain() throws {
    let report = try Planner.plan(try read(["m/config.json": .object(Self.llama)]))
    #expect(report.parameters == Self.parameters)
  }

  @Test("give their text model where it is nested") func nested() throws {
    let scenario = try read([
      "m/config.json": [
        "model_type": "llava", "text_config": .object(Self.llama), "vision_config": [:],
      ]
    ])
    let report = try Planner.plan(scenario)
    #expect(report.parameters == Self.parameters)
    #expect(report.assumptions.contains { $0.name == "text_model_alone" })
  }

  @Test("are refused where the checkpoint is quantized") func quantized() {
    let config = Self.llama + [.init("quantization_config", ["quant_method": "gptq"])]
    let error = error(["m/config.json": .object(config)])
    #expect(error?.path == "m/config.json, quantization_config")
    #expect(error?.message.contains("gptq") == true)
  }

  @Test("are compared with a sharded checkpoint's index") func index() throws {
    let index: JSONValue = ["metadata": ["total_size": .integer(2 * Self.parameters)]]
    let scenario = try read([
      "m/config.json": .object(Self.llama), "m/model.safetensors.index.json": index,
    ])
    #expect(scenario.model.assumptions.contains { $0.name == "checkpoint_size" })
    let wrong: JSONValue = ["metadata": ["total_size": .integer(3 * Self.parameters)]]
    let error = error([
      "m/config.json": .object(Self.llama), "m/model.safetensors.index.json": wrong,
    ])
    #expect(error?.kind == .conflict)
    #expect(error?.message.contains("\(Self.parameters)") == true)
  }

  @Test("are compared with the tensors of a single checkpoint") func header() throws {
    let header: JSONValue = [
      "__metadata__": ["format": "pt"],
      "all": ["dtype": "BF16", "shape": [.integer(Self.parameters)], "data_offsets": [0, 1]],
    ]
    let scenario = try read([
      "m/config.json": .object(Self.llama), "m/model.safetensors": header,
    ])
    #expect(scenario.model.assumptions.contains { $0.name == "checkpoint_size" })
    for shape: JSONValue in [[-1], [.integer(.max), .integer(.max)], ["x"], "x"] {
      let broken: JSONValue = ["all": ["shape": shape]]
      #expect(
        error(["m/config.json": .object(Self.llama), "m/model.safetensors": broken]) == nil)
    }
  }
}

import Testing

@testable import Planner

/// The model: 2 layers, hidden size 64, 8 heads of 8, 2 key heads, vocabulary 100; 2 sequences of 64 tokens.
@Suite("Context parallelism, DeepSpeed's way") struct HeadExchangeTests {
  private func scenario(
    degree: Int, zero: String = #", "zero": {"stage": 3, "shards": 1}"#, more: String = "",
    tokens: Int = 64
  ) throws -> Scenario {
    let text = """
      {"schema": 1, "model": {"model_type": "llama", "vocab_size": 100, "hidden_size": 64,
        "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 8,
        "num_key_value_heads": 2, "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 2, "sequence_length": \(tokens)}, "precision": "bf16-true",
       "strategies": {"context_parallel": {"degree": \(degree), "method": "all_to_all"}\(zero)}\(more),
       "hardware": {"device": "h100-sxm"}}
      """
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
  }

  /// A device's part of queries and of the result: 2 sequences of 64 / n tokens, 64 elements in bf16.
  ///
  /// Keys and values have 2 heads of 8, and n heads where n is more. All are exchanged forward and backward, in two layers.
  @Test("exchanges queries, keys, values and results", arguments: [2, 4, 8])
  func traffic(degree: Int) throws {
    let scenario = try scenario(degree: degree)
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    let entries = step.work.traffic.entries.filter { $0.collective == .allToAll }
    let rows = 2 * 64 / degree
    let part = rows * (2 * 64 + 2 * max(2, degree) * 8) * 2
    // What the devices put together is as many times a device's part as there are devices.
    let expected = Double(2 * 2 * part * degree)
    #expect(entries.reduce(0) { $0 + $1.payload } == expected)
    #expect(entries.allSatisfy { $0.ranks == degree })
  }

  @Test("multiplies with data parallelism") func devices() throws {
    let scenario = try scenario(degree: 4, zero: #", "zero": {"stage": 1, "shards": 2}"#)
    let report = try Planner.plan(scenario)
    #expect(report.devices.used == 8)
    #expect(report.devices.minimum == 4)
  }

  @Test("needs less memory for activations with more devices") func falls() throws {
    var last = Int.max
    for degree in [2, 4, 8] {
      let report = try Planner.plan(try scenario(degree: degree, tokens: 65_536), .tensors)
      #expect(report.peak.live.count < last)
      last = report.peak.live.count
    }
  }

  @Test("refuses what cannot run, or was never measured") func refused() throws {
    let place = "strategies.context_parallel"
    let refused: [(Scenario, String)] = [
      (try scenario(degree: 4, zero: ""), place + ".method"),
      (try scenario(degree: 4, zero: #", "fsdp": {"shards": 2}"#), place + ".method"),
      (try scenario(degree: 3, tokens: 63), place + ".degree"),
      (try scenario(degree: 16), place + ".degree"),
      (try scenario(degree: 4, tokens: 66), place + ".degree"),
      (try scenario(degree: 4, more: #", "attention": "eager""#), "attention"),
    ]
    for (scenario, path) in refused {
      let error = #expect(throws: PlanError.self) { _ = try Planner.plan(scenario) }
      #expect(error?.path == path, "\(String(describing: error))")
    }
  }
}

import Testing

@testable import Planner

@Suite("Where a scenario stops fitting") struct SensitivityTests {
  private func scenario() throws -> Scenario {
    var scenario = try Scenario.random(3)
    var settings = try Settings(
      [
        "model_type": "llama", "hidden_size": 256, "intermediate_size": 704,
        "num_hidden_layers": 4, "num_attention_heads": 4, "vocab_size": 1000,
      ], path: "model")
    scenario.model = Model(name: "llama", family: try Llama(&settings))
    scenario.workload = Workload(microBatchSize: 2, sequenceLength: 256)
    scenario.precision = .fp32True
    scenario.optimizer = AdamW()
    scenario.gradientClipping = nil
    scenario.strategies = []
    scenario.kernelSet = .torch
    scenario.loss = .transformers
    scenario.attention = .sdpa
    scenario.device = try #require(DeviceCatalog.named("rtx-4090"))
    scenario.device.memory = Bytes(900 << 20)
    return scenario
  }

  /// The largest number that fits, by trying every one.
  private func brute(_ fits: (Int) throws -> Bool) rethrows -> Int {
    var value = 0
    while try fits(value + 1) { value += 1 }
    return value
  }

  @Test("is what trying every value gives") func exhaustive() throws {
    let scenario = try scenario()
    let rows = try Sensitivity(scenario, catalog: []).rows
    let batches = try brute { value in
      var other = scenario
      other.workload.microBatchSize = value
      return try Planner.plan(other, .verdict).fits
    }
    let tokens = try brute { value in
      var other = scenario
      other.workload.sequenceLength = 128 * value
      return try Planner.plan(other, .verdict).fits
    }
    let layers = try brute { value in
      try Planner.plan(scenario, .verdict, layers: value).fits
    }
    #expect(rows.map(\.quantity) == [.microBatch, .sequence, .layers])
    #expect(rows.map { $0.largest?.value } == [batches, 128 * tokens, layers])
    for row in rows {
      #expect(row.largest?.report.fits == true && row.beyond?.report.fits == false)
    }
    #expect(batches > 2 && layers > 4)
  }

  @Test("says that nothing fits where nothing does") func nothing() throws {
    var scenario = try scenario()
    scenario.device.memory = Bytes(1 << 20)
    for row in try Sensitivity(scenario, catalog: []).rows {
      #expect(row.largest == nil && row.beyond != nil)
    }
  }

  @Test("plans the family's other models") func models() throws {
    let models = try Sensitivity(
      try scenario(),
      catalog: ModelCatalog.all.filter { $0.id == "tinyllama-1.1b" || $0.id == "gpt2" }
    ).models
    #expect(models.map(\.model) == ["tinyllama-1.1b"])
    #expect(models.first?.report.parameters == 1_100_048_384 && models.first?.report.fits == false)
  }
}

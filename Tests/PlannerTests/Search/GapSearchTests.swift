import Testing

@testable import Planner

@Suite("A measured run beside its plan") struct GapSearchTests {
  private func scenario(_ keys: String = "") throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(
      try JSONReader.read(
        Array(
          """
          { "schema": 1, "name": "small", \(keys)
            "model": { "model_type": "llama", "hidden_size": 512, "intermediate_size": 1376,
              "num_hidden_layers": 3, "num_attention_heads": 8, "num_key_value_heads": 8,
              "vocab_size": 32000 },
            "workload": { "micro_batch_size": 2, "sequence_length": 512 },
            "hardware": { "device": "rtx-4090" } }
          """.utf8)))
  }

  @Test("agrees with itself, and tries nothing") func itself() throws {
    let scenario = try scenario()
    let report = try Planner.plan(scenario)
    let gap = try GapSearch(
      scenario, measured: [.live: report.peak.live, .reserved: report.peak.reserved])
    #expect(gap.agrees && gap.causes.isEmpty && gap.tried == 0)
    #expect(gap.gap(.live) == 0 && gap.gap(.reserved) == 0 && gap.gap(.device) == nil)
  }

  /// What really ran, as keys of the scenario, and as the cause is named.
  static let differences = [
    (#""loss": { "implementation": "transformers-4.48" },"#, "\"transformers-4.48\""),
    (#""precision": "bf16-mixed","#, "\"bf16-mixed\""),
    (#""attention": "eager","#, "\"eager\""),
    (#""kernels": "liger","#, "\"liger\""),
    (#""strategies": { "checkpointing": { "policy": "full" } },"#, "\"full\""),
  ]

  @Test("finds what really ran among the likely differences", arguments: differences)
  func finds(keys: String, cause: String) throws {
    let ran = try Planner.plan(try scenario(keys))
    let plan = try Planner.plan(try scenario())
    let gap = try GapSearch(
      try scenario(), measured: [.live: ran.peak.live, .reserved: ran.peak.reserved])
    try #require(abs(GapSearch.gap(plan.peak.live, ran.peak.live)) > 0.005)
    #expect(gap.causes.contains { $0.change.contains(cause) && abs($0.gap) < 1e-9 })
    #expect(gap.causes.allSatisfy { abs($0.gap) <= 0.02 })
    #expect(gap.causes.map { abs($0.gap) } == gap.causes.map { abs($0.gap) }.sorted())
  }

  @Test("says which quantity a figure without a name is nearest to") func nearest() throws {
    let scenario = try scenario()
    let report = try Planner.plan(scenario)
    let device = try GapSearch(scenario, measured: report.peak.device)
    #expect(device.nearest == .device && device.agrees && !device.isNamed)
    let reserved = try GapSearch(scenario, measured: report.peak.reserved)
    #expect(reserved.nearest == .reserved && reserved.agrees)
  }

  @Test("is not taken in by what no difference explains") func nothing() throws {
    let gap = try GapSearch(try scenario(), measured: [.allocated: Bytes(1 << 40)])
    #expect(!gap.agrees && gap.causes.isEmpty && gap.tried > 20)
    #expect(GapText.text(gap).contains("None of \(gap.tried) likely differences"))
  }
}

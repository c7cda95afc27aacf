import Testing

@testable import Planner

@Suite("PyTorch's own figures for autocast over 16-bit weights") struct AutocastTests {
  static let cases = Fixtures.cases("autocast-16")

  @Test("are met within 0.02 % in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      let error = abs(Double(phase.live.count) / Double(expected) - 1)
      #expect(error <= 0.0002, "\(phase.phase.key) at \(phase.operation)")
    }
  }

  @Test("are met to the byte") func exact() throws {
    let (equal, all) = try Self.cases.equalPhases()
    #expect(all == 54 && equal == all, "\(equal) of \(all)")
  }

  @Test("a mixed precision has autocast already") func conflict() throws {
    #expect(throws: PlanError.self) {
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no files here", path: path, fix: "")
      }.read([
        "schema": 1, "model": ["model_type": "llama"], "precision": "bf16-mixed", "autocast": true,
        "workload": ["micro_batch_size": 1, "sequence_length": 64],
      ])
    }
  }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures for other families") struct FamilyTests {
  static let cases = Fixtures.cases("families")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      #expect(phase.live.count == expected, "\(phase.phase.key) at \(phase.operation)")
    }
  }

  @Test("have equal parameter counts", arguments: cases)
  func parameters(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
    #expect(
      report.trainableParameters == reference.value.integer("reference", "trainable_parameters"))
  }
}

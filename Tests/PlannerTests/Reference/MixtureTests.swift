import Testing

@testable import Planner

@Suite("PyTorch's own figures for mixtures of experts") struct MixtureTests {
  static let cases = Fixtures.cases("moe")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("have equal parameter counts") func parameters() throws {
    for reference in Self.cases {
      let report = try Planner.plan(try reference.scenario, .tensors)
      #expect(
        report.parameters == reference.value.integer("reference", "parameters"), "\(reference)")
      #expect(
        report.trainableParameters
          == reference.value.integer("reference", "trainable_parameters"), "\(reference)")
    }
  }

  @Test("say what they take for granted") func assumption() throws {
    let report = try Planner.plan(try #require(try Self.cases.first?.scenario))
    #expect(report.assumptions.contains { $0.name == "experts" })
  }
}

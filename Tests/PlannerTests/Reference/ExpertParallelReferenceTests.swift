import Testing

@testable import Planner

@Suite("PyTorch's own figures for a rank of transformers' expert parallelism")
struct ExpertParallelReferenceTests {
  static let cases = Fixtures.cases("expert-parallel")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks(slack: 0)
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 26) }
}

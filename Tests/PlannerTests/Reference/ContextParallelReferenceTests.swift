import Testing

@testable import Planner

/// Figures are of the last device but one, which merges whole results and keeps copies of them; of two devices each
/// phase has the higher of both.
@Suite("PyTorch's own figures for a device that shares its sequences")
struct ContextParallelReferenceTests {
  static let cases = Fixtures.cases("context-parallel")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks()
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 8) }
}

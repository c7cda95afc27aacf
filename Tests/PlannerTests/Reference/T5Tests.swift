import Testing

@testable import Planner

@Suite("PyTorch's own figures for an encoder with a decoder") struct T5Tests {
  static let cases = Fixtures.cases("t5")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks()
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
    #expect(
      report.trainableParameters == reference.value.integer("reference", "trainable_parameters"))
  }

  @Test("are not fewer than before") func count() { #expect(Self.cases.count >= 57) }
}

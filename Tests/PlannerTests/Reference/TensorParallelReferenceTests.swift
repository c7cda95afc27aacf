import Testing

@testable import Planner

@Suite("PyTorch's own figures for a rank of tensor-parallel models")
struct TensorParallelReferenceTests {
  static let cases = Fixtures.cases("tensor-parallel")

  @Test("are met to a scalar in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks(slack: 4)
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  /// Three phases of cut losses over micro-batches lack one scalar.
  @Test("are met to the byte in all phases but three") func exact() throws {
    let (equal, all) = try Self.cases.equalPhases()
    #expect(all > 0 && equal >= all - 3, "\(equal) of \(all)")
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 97) }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures for other losses and kernels") struct LossTests {
  static let cases = Fixtures.cases("losses") + Fixtures.cases("liger")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 46) }
}

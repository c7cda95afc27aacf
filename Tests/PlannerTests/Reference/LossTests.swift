import Testing

@testable import Planner

@Suite("PyTorch's own figures for other losses and kernels") struct LossTests {
  static let cases = Fixtures.cases("losses") + Fixtures.cases("liger")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      #expect(phase.live.count == expected, "\(phase.phase.key) at \(phase.operation)")
    }
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 46) }
}

import Testing

@testable import Planner

/// Runs of DeepSpeed's pipeline engine that others published; `Fixtures/README.md` says where they are from.
@Suite("Published runs of DeepSpeed's pipelines") struct PublishedDeepSpeedTests {
  static let cases = Fixtures.published("deepspeed-pipelines")

  @Test("are met within what their row says, or say why not", arguments: cases)
  func peaks(_ run: Fixtures.Case) throws {
    try run.expectMet(atMost: 0.06) {
      let planned = try PlannedFigures(run).peak
      let measured = Double(try #require(run.value.integer("measured_bytes")))
      print("\((1000 * (planned / measured - 1)).rounded() / 10) %  \(run)")
      return planned
    }
  }

  /// Only what ZeRO cuts differs between 2, 4, 8 and 16 replicas: twelve bytes of each of a rank's parameters.
  @Test("differ by the replicas as the plans do") func replicas() throws {
    let runs = Self.cases.suffix(4)
    let errors = try runs.map { run in
      try PlannedFigures(run).peak - Double(try #require(run.value.integer("measured_bytes")))
    }
    let (least, most) = (errors.min() ?? 0, errors.max() ?? 0)
    #expect(runs.count == 4 && most - least <= 8 * 1_048_576)
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 6) }
}

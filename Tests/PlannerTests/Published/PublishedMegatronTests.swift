import Testing

@testable import Planner

/// Runs of Megatron-LM that NVIDIA's own tests and others published; `Fixtures/README.md` says where they are from.
@Suite("Published runs of Megatron-LM") struct PublishedMegatronTests {
  static let cases = Fixtures.published("megatron")

  @Test("are met within what their row says, or say why not", arguments: cases)
  func peaks(_ run: Fixtures.Case) throws {
    try run.expectMet(atMost: 0.06) { try PlannedFigures(run).peak }
  }

  @Test("make a table whose median is below one percent") func table() throws {
    var lines = [
      "   planned and measured GiB, the errors in % of peak and of what stays, of each run"
    ]
    var (peaks, residents): ([Double], [Double]) = ([], [])
    for run in Self.cases {
      let planned = try PlannedFigures(run)
      let measured = Double(try #require(run.value.integer("measured_bytes")))
      peaks.append(abs(planned.peak / measured - 1))
      var row = [
        planned.peak / 1_073_741_824, measured / 1_073_741_824, 100 * (planned.peak / measured - 1),
      ]
      if let resident = run.value.integer("static_bytes") {
        residents.append(abs(planned.resident / Double(resident) - 1))
        row.append(100 * (planned.resident / Double(resident) - 1))
      }
      func fixed(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
      lines.append(row.map(fixed).joined(separator: "  ") + "  \(run)")
    }
    peaks.sort()
    residents.sort()
    let medians = (peaks[peaks.count / 2], residents[residents.count / 2])
    lines.append("medians: peak \(100 * medians.0) %, what stays \(100 * medians.1) %")
    print(lines.joined(separator: "\n"))
    #expect(medians.0 <= 0.01)
    #expect(medians.1 <= 0.02)
  }
}

import Testing

@testable import Planner

/// DeepSpeed runs that others published; `Fixtures/README.md` says where they are from.
@Suite("Published runs of ZeRO") struct PublishedZeroTests {
  static let cases = Fixtures.published("zero")

  @Test("are met within what their row says, or say why not; their median is within 3 %")
  func peaks()
    throws
  {
    var complete: [Double] = []
    for run in Self.cases {
      let planned = try Planner.plan(try run.scenario).phases.map(\.allocated.count).max() ?? 0
      let error = Double(planned) / Double(try #require(run.value.integer("measured_bytes"))) - 1
      print("\(Int((error * 1000).rounded()))/1000  \(run)")
      if case .number(let within)? = run["within"] {
        #expect(abs(error) <= within)
        complete.append(abs(error))
      } else if case .string(let note)? = run["note"] {
        #expect(note.hasPrefix("Explained: "))
      }
    }
    #expect(Self.cases.count == 5 && !complete.isEmpty)
    #expect(complete.sorted()[complete.count / 2] <= 0.03)
  }
}

import Testing

@testable import Planner

/// Runs that others published, each beside what the planner says; `Fixtures/README.md` says where they are from.
@Suite("Published runs on one GPU") struct PublishedRunTests {
  static let cases = Fixtures.published("single-gpu")

  private func error(_ run: Fixtures.Case) throws -> Double {
    let report = try Planner.plan(try run.scenario)
    let planned = report.phases.map(\.allocated.count).max() ?? 0
    let measured = try #require(run.value.integer("measured_bytes"))
    return Double(planned) / Double(measured) - 1
  }

  private func number(_ run: Fixtures.Case, _ key: String) -> Double? {
    switch run[key] {
    case .number(let value)?: value
    case .integer(let value)?: Double(value)
    default: nil
    }
  }

  @Test("are met within what their row says", arguments: cases)
  func peaks(_ run: Fixtures.Case) throws {
    guard let within = number(run, "within") else { return }
    #expect(within <= 0.05)
    #expect(abs(try error(run)) <= within)
  }

  @Test("that are further off say why", arguments: cases)
  func explained(_ run: Fixtures.Case) throws {
    guard number(run, "within") == nil, case .string(let note)? = run["note"] else { return }
    #expect(note.hasPrefix("Explained: "))
  }

  @Test("make a table") func table() throws {
    var lines = ["   planned, measured and error of each published run"]
    for run in Self.cases {
      let measured = Double(try #require(run.value.integer("measured_bytes"))) / 1_073_741_824
      let error = try error(run)
      func fixed(_ value: Double, _ width: Int) -> String {
        let scaled = Int((value * 1000).rounded())
        let digits = String(abs(scaled) % 1000)
        let text =
          (scaled < 0 ? "-" : "") + "\(abs(scaled) / 1000)."
          + String(repeating: "0", count: 3 - digits.count) + digits
        return String(repeating: " ", count: max(0, width - text.count)) + text
      }
      let figures = [
        fixed(measured * (1 + error), 9), fixed(measured, 9), fixed(100 * error, 9),
      ]
      lines.append("\(figures.joined()) %  \(run)")
    }
    print(lines.joined(separator: "\n"))
    #expect(Self.cases.count == 15)
  }
}

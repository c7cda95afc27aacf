import Testing

@testable import Planner

/// How fast others' runs were, beside the expected time of their plans; `Fixtures/README.md` says where they are from.
@Suite("Published throughputs") struct ThroughputTests {
  struct Row: Sendable {
    let run: Fixtures.Case
    let report: Report
    let measured: Double

    var time: StepTime { report.time }
    /// Expected ÷ measured seconds, minus 1.
    var error: Double { time.expected.value / measured - 1 }
    var isCalibration: Bool { run["use"] == "calibration" }
    var note: String { if case .string(let note)? = run["note"] { note } else { "" } }
  }

  static let rows: [Row] = Fixtures.published("throughput").compactMap { run in
    guard let scenario = try? run.scenario, let report = try? Planner.plan(scenario, .tensors)
    else { return nil }
    let measured: Double
    switch run["measured_seconds"] {
    case .number(let seconds)?: measured = seconds
    case .integer(let seconds)?: measured = Double(seconds)
    default: return nil
    }
    return Row(run: run, report: report, measured: measured)
  }

  private func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let upper = sorted.dropFirst(sorted.count / 2).first else { return .infinity }
    return sorted.count % 2 == 1 ? upper : (upper + sorted[sorted.count / 2 - 1]) / 2
  }

  @Test("are all planned, and their errors make a table") func table() throws {
    var lines = [
      "   expected and measured seconds, error in %, MFU and HFU in % of each published run"
    ]
    for row in Self.rows {
      let figures = [
        Decimal.text(row.time.expected.value, digits: 3), Decimal.text(row.measured, digits: 3),
        Decimal.text(100 * row.error, digits: 1), Decimal.text(100 * row.time.mfu, digits: 1),
        Decimal.text(100 * row.time.hfu, digits: 1), row.isCalibration ? "calibration" : "",
      ]
      lines.append(figures.joined(separator: "  ") + "  \(row.run)")
    }
    for (name, chosen) in [
      ("calibration", Self.rows.filter(\.isCalibration)),
      ("held out", Self.rows.filter { !$0.isCalibration }), ("all", Self.rows),
    ] {
      let error = Decimal.text(100 * median(chosen.map { abs($0.error) }), digits: 1)
      lines.append("   \(name): \(chosen.count) runs, median absolute error \(error) %")
    }
    print(lines.joined(separator: "\n"))
    #expect(Self.rows.count == Fixtures.published("throughput").count && Self.rows.count >= 160)
  }

  @Test("are met within 15 % in the median, held out or not") func medians() {
    let heldOut = Self.rows.filter { !$0.isCalibration }
    #expect(heldOut.count > 5 * (Self.rows.count - heldOut.count))
    #expect(median(Self.rows.map { abs($0.error) }) <= 0.15)
    #expect(median(heldOut.map { abs($0.error) }) <= 0.15)
  }

  @Test("say why where they are more than 30 % off") func outliers() {
    for row in Self.rows where abs(row.error) > 0.3 {
      #expect(row.note.contains("Explained: "), "\(row.run): \(row.error)")
    }
  }

  /// One number for each chip: none is set for a row, and the rows that set it do not lean to one side.
  @Test("that calibrate a chip are met without a lean") func calibration() throws {
    for (chip, runs) in [("a100", 14), ("h100", 5)] {
      let errors = Self.rows.filter {
        $0.isCalibration && $0.run.device.hasPrefix(chip)
      }.map(\.error)
      #expect(errors.count == runs)
      #expect(abs(median(errors)) < 0.02, "\(chip): \(median(errors))")
    }
  }

  @Test("lie in their ranges, four of five on chips with many runs") func ranges() {
    let rows = Self.rows.filter {
      $0.run.device.hasPrefix("a100") || $0.run.device.hasPrefix("h100")
    }
    let inside = rows.filter {
      $0.time.low.value <= $0.measured && $0.measured <= $0.time.high.value
    }
    #expect(Double(inside.count) >= 0.8 * Double(rows.count), "\(inside.count) of \(rows.count)")
  }
}

extension Fixtures.Case {
  /// The scenario's device.
  fileprivate var device: String {
    if case .string(let id)? = self["scenario", "hardware", "device"] { id } else { "" }
  }
}

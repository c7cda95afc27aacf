import Testing

@testable import Planner

/// Runs over several devices that others published; `Fixtures/README.md` says where they are from.
@Suite("Published runs on several GPUs") struct PublishedShardedRunTests {
  static let cases = Fixtures.published("sharded")

  private func figures(_ run: Fixtures.Case) throws -> (planned: Double, measured: Double) {
    let report = try Planner.plan(try run.scenario, .tensors)
    let planned = report.phases.map(\.allocated.count).max() ?? 0
    return (Double(planned), Double(try #require(run.value.integer("measured_bytes"))))
  }

  @Test("are met within what their row says, or say why not", arguments: cases)
  func peaks(_ run: Fixtures.Case) throws {
    try run.expectMet(atMost: 0.03) { try figures(run).planned }
  }

  /// What a device keeps of the states shows between runs on 16, 32 and 64 devices, whatever the rest of the step took.
  @Test(
    "agree on what each device keeps of the states",
    arguments: [("atorch-llama2-7b-fsdp-", 0.0001), ("atorch-llama2-7b-fsdp-lora-", 0.001)])
  func shares(_ name: String, _ tolerance: Double) throws {
    let runs = try [16, 32, 64].map { devices in
      try #require(Self.cases.first { "\($0)" == "\(name)\(devices)gpu-tp1pp1dp\(devices)" })
    }
    let all = try runs.map(figures)
    for (more, less) in zip(all, all.dropFirst()) {
      let ratio = (more.planned - less.planned) / (more.measured - less.measured)
      #expect(abs(ratio - 1) < tolerance)
    }
  }

  @Test("make a table") func table() throws {
    var lines = ["   planned and measured GiB, and the error in % of each published run"]
    var errors: [Double] = []
    for run in Self.cases {
      let (planned, measured) = try figures(run)
      func fixed(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
      let row = [planned / 1_073_741_824, measured / 1_073_741_824, 100 * (planned / measured - 1)]
      lines.append(row.map(fixed).joined(separator: "  ") + "  \(run)")
      errors.append(abs(planned / measured - 1))
    }
    print(lines.joined(separator: "\n"))
    #expect(Self.cases.count == 15)
    #expect(errors.sorted()[errors.count / 2] <= 0.03)
  }
}

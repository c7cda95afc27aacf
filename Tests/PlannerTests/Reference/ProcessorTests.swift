import Testing

@testable import Planner

@Suite("PyTorch's own figures on processors") struct ProcessorTests {
  static let cases = Fixtures.cases("processors")

  /// Adam's step counters, 4 bytes a tensor, are not planned; a checkpoint also keeps the random generator's state of
  /// 5,056 bytes for each layer, which shows in layers as small as these.
  @Test("are met up to counters and random states", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let scenario = try reference.scenario
    let report = try Planner.plan(scenario)
    let counters = try #require(reference.value.integer("reference", "step_counter_bytes"))
    let checkpoints = scenario.strategies.contains { $0 is ActivationCheckpointing }
    let states = checkpoints ? 3 * 5056 : 0
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      let missing = expected - phase.live.count
      #expect(missing >= 0 && missing <= counters + states + 80, "\(phase.phase.key) \(missing)")
    }
  }

  @Test("need neither a CUDA context nor a caching allocator") func allowance() throws {
    let report = try Planner.plan(try #require(Self.cases.first).scenario)
    #expect(report.peak.device.count == report.peak.live.count + 1 << 30)
    #expect(report.peak.breakdown[.workspace] == .zero)
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 17) }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures for every rank of DeepSpeed's pipeline engine")
struct DeepSpeedPipelineTests {
  static let cases = Fixtures.cases("deepspeed-pipelines")

  private func rank(of reference: Fixtures.Case) throws -> (PipelineSteps, PipelineSteps.Rank) {
    let scenario = try reference.scenario
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let steps = try PipelineSteps(graph, plan, try #require(plan.pipeline))
    let number = try #require(reference.value.integer("rank"))
    return (steps, try #require(steps.ranks.first { $0.ranks.contains(number) }))
  }

  private func measured(_ reference: Fixtures.Case, _ phase: Phase) throws -> Int {
    try #require(reference.value.integer("reference", "phases", phase.key, "requested_bytes"))
  }

  /// The optimizer's phase is a bound: no rank of the data-parallel world both owns the most gradients and has the
  /// largest piece of a parameter.
  ///
  /// A step of one micro-batch finds the graph of the step before behind its loss: half a percent that is not planned.
  @Test("are met within 0.5 %, in the optimizer's phase not undercut", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let (_, rank) = try rank(of: reference)
    for (phase, peak) in zip(Phase.allCases, rank.fold.peaks) {
      let error = Double(peak.live) / Double(try measured(reference, phase)) - 1
      #expect(error >= -0.0055 && error <= (phase == .optimizer ? 0.04 : 0.005), "\(phase.key)")
    }
  }

  @Test("hold for the allocator's segments, from 6 % below to 15 % above", arguments: cases)
  func reserved(_ reference: Fixtures.Case) throws {
    let (steps, rank) = try rank(of: reference)
    let script = ReplayScript(try steps.unrolled(rank).schedule, steps.graph.program)
    let replay = AllocatorReplay(script, AllocatorRules(AllocatorSettings()), DeviceMemory())
    let held = replay.phases.map(\.reserved).max() ?? 0
    let expected = try #require(reference.value.integer("reference", "peak_reserved_bytes"))
    #expect(-0.06...0.15 ~= Double(held) / Double(expected) - 1)
  }

  @Test("do not depend on how micro-batches are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    let (steps, rank) = try rank(of: reference)
    let unrolled = try MemoryFold(try steps.unrolled(rank).schedule)
    for (one, other) in zip(unrolled.peaks, rank.fold.peaks) {
      #expect(abs(one.live - other.live) <= 64, "rank \(rank.ranks)")
    }
  }

  @Test("are met within 64 bytes in every second phase") func near() throws {
    var (near, all) = (0, 0)
    for reference in Self.cases {
      let (_, rank) = try rank(of: reference)
      for (phase, peak) in zip(Phase.allCases, rank.fold.peaks) {
        near += abs(peak.live - (try measured(reference, phase))) <= 64 ? 1 : 0
        all += 1
      }
    }
    #expect(2 * near >= all && all >= 81)
  }
}

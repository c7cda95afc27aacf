import Testing

@testable import Planner

@Suite("PyTorch's own figures for every rank of a pipeline") struct PipelineTests {
  static let cases = Fixtures.cases("pipelines")

  private func steps(_ scenario: Scenario) throws -> PipelineSteps {
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    return try PipelineSteps(graph, plan, try #require(plan.pipeline))
  }

  @Test("are met within 0.2 % in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let steps = try steps(try reference.scenario)
    let number = try #require(reference.value.integer("rank"))
    let rank = try #require(steps.ranks.first { $0.ranks.contains(number) })
    for (phase, peak) in zip(Phase.allCases, rank.fold.peaks) {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.key, "requested_bytes"))
      #expect(abs(Double(peak.live) / Double(expected) - 1) <= 0.002, "\(phase.key)")
    }
  }

  @Test("are met to the byte but for two phases of 168") func exact() throws {
    var different = 0
    for reference in Self.cases {
      let steps = try steps(try reference.scenario)
      let number = reference.value.integer("rank") ?? -1
      let rank = try #require(steps.ranks.first { $0.ranks.contains(number) })
      for (phase, peak) in zip(Phase.allCases, rank.fold.peaks) {
        let expected = reference.value.integer(
          "reference", "phases", phase.key, "requested_bytes")
        different += peak.live == expected ? 0 : 1
      }
    }
    #expect(different <= 2)
  }

  @Test("hold for the allocator's segments within 2 %, nine times in ten") func reserved() throws {
    var far = 0
    for reference in Self.cases {
      let steps = try steps(try reference.scenario)
      let number = reference.value.integer("rank") ?? -1
      let rank = try #require(steps.ranks.first { $0.ranks.contains(number) })
      let script = ReplayScript(try steps.unrolled(rank).schedule, steps.graph.program)
      let replay = AllocatorReplay(script, AllocatorRules(AllocatorSettings()), DeviceMemory())
      let held = replay.phases.map(\.reserved).max() ?? 0
      let expected = try #require(reference.value.integer("reference", "peak_reserved_bytes"))
      let error = abs(Double(held) / Double(expected) - 1)
      // DDP makes its buckets anew after the first step, and stages on one rank are gathered together at first.
      #expect(error <= 0.15, "\(reference)")
      far += error > 0.02 ? 1 : 0
    }
    #expect(10 * far <= Self.cases.count)
  }

  @Test("do not depend on how layers and micro-batches are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    let steps = try steps(try reference.scenario)
    for rank in steps.ranks {
      let unrolled = try MemoryFold(try steps.unrolled(rank).schedule)
      for (one, other) in zip(unrolled.peaks, rank.fold.peaks) {
        // Losses of micro-batches that are not replayed are there from the beginning.
        #expect(abs(one.live - other.live) <= 64, "rank \(rank.ranks)")
      }
    }
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 56) }
}

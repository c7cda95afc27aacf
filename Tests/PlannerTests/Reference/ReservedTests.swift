import Testing

@testable import Planner

@Suite("PyTorch's own figures of what is allocated and reserved") struct ReservedTests {
  /// How far a figure is from PyTorch's, as a share of it.
  private struct Distances {
    var allocated: [Double] = []
    var reserved: [Double] = []

    /// The share of the figures that are at most `limit` away.
    static func share(of values: [Double], within limit: Double) -> Double {
      Double(values.filter { $0 <= limit }.count) / Double(max(1, values.count))
    }
  }

  /// Replays what each case does on a card without limit, as the figures were made.
  private func distances(_ files: [String]) throws -> Distances {
    var distances = Distances()
    for reference in files.flatMap(Fixtures.cases) {
      let scenario = try reference.scenario
      let plan = try Planner.decide(scenario)
      let graph = try scenario.model.family.graph(plan.context)
      let step = try TrainingStep(graph, plan, unrolls: true)
      let replay = AllocatorReplay(
        ReplayScript(step.schedule, graph.program), AllocatorRules(scenario.allocator),
        DeviceMemory())
      for (phase, peak) in zip(Phase.allCases, replay.phases) {
        let keys = ["reference", "phases", phase.key]
        let allocated = try #require(
          reference.value.integer(keys[0], keys[1], keys[2], "allocated_bytes"))
        let reserved = try #require(
          reference.value.integer(keys[0], keys[1], keys[2], "reserved_bytes"))
        distances.allocated.append(
          Double(abs(peak.allocated - allocated)) / Double(allocated))
        distances.reserved.append(Double(abs(peak.reserved - reserved)) / Double(reserved))
      }
    }
    return distances
  }

  @Test("are met: whole models") func wholeModels() throws {
    let distances = try distances(["one-device"])
    #expect(Distances.share(of: distances.allocated, within: 0.0001) == 1)
    #expect(Distances.share(of: distances.allocated, within: 0) > 0.98)
    #expect(Distances.share(of: distances.reserved, within: 0.001) == 1)
    #expect(Distances.share(of: distances.reserved, within: 0) > 0.92)
  }

  @Test(
    "are met: all others, most of them small models, where a few KiB decide",
    arguments: [
      "one-device-small", "families", "liger", "losses", "moe", "quantized", "optimizers",
      "encoders",
    ])
  func smallModels(_ file: String) throws {
    let distances = try distances([file])
    #expect(Distances.share(of: distances.allocated, within: 0.005) > 0.97)
    #expect(Distances.share(of: distances.allocated, within: 0.011) == 1)
    #expect(Distances.share(of: distances.reserved, within: 0) > 0.7)
    #expect(Distances.share(of: distances.reserved, within: 0.02) > 0.9)
    #expect(Distances.share(of: distances.reserved, within: 0.13) == 1)
  }
}

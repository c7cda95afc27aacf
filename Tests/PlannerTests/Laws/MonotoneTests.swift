import Testing

@testable import Planner

@Suite("Laws of a plan") struct MonotoneTests {
  private func changed(_ seed: UInt64, _ change: (inout Scenario) -> Void) throws -> Report {
    var scenario = try Scenario.random(seed)
    change(&scenario)
    return try Planner.plan(scenario)
  }

  private func live(_ report: Report) -> [Bytes] { report.phases.map(\.live) }

  @Test("a longer sequence never needs less") func sequence() throws {
    for seed in 0..<200 as Range<UInt64> {
      // The memory-efficient kernels round rows up, so compare lengths that are far apart.
      let short = try changed(seed) { $0.workload.sequenceLength = 128 }
      let long = try changed(seed) { $0.workload.sequenceLength = 1024 }
      for (a, b) in zip(live(short), live(long)) { #expect(a <= b, "seed \(seed)") }
    }
  }

  @Test("a larger micro-batch never needs less") func batch() throws {
    for seed in 0..<200 as Range<UInt64> {
      // In a batch of one, PyTorch's gradient of ViT's class token is a view that keeps every token's.
      let small = try changed(seed) { $0.workload.microBatchSize = $0.model.name == "vit" ? 2 : 1 }
      let large = try changed(seed) { $0.workload.microBatchSize = 4 }
      for (a, b) in zip(live(small), live(large)) { #expect(a <= b, "seed \(seed)") }
    }
  }

  @Test("more layers never need less") func layers() throws {
    for seed in 0..<100 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      var before = Bytes.zero
      for layers in [1, 2, 3, 5, 8, 40] {
        let config: JSONValue = .object([
          .init("model_type", "llama"), .init("hidden_size", 256), .init("vocab_size", 1000),
          .init("num_attention_heads", 4), .init("intermediate_size", 512),
          .init("num_hidden_layers", .integer(layers)),
        ])
        scenario.strategies = scenario.strategies.map {
          $0 is LoRA ? LoRA(rank: 8, targetModules: ["all-linear"]) : $0
        }
        var settings = try Settings(config, path: "model")
        scenario.model = Model(name: "llama", family: try Llama(&settings))
        let live = try Planner.plan(scenario, .tensors).peak.live
        #expect(live >= before, "seed \(seed), \(layers) layers")
        before = live
      }
    }
  }

  @Test("the order in which strategies are written does not matter") func permutation() throws {
    for seed in 0..<200 as Range<UInt64> {
      let one = try changed(seed) { _ in }
      let other = try changed(seed) { $0.strategies.reverse() }
      #expect(one.peak == other.peak, "seed \(seed)")
      #expect(one.phases == other.phases, "seed \(seed)")
    }
  }

  @Test("checkpointing more layers recomputes more and keeps less after the forward")
  func checkpointing() throws {
    for seed in 0..<100 as Range<UInt64> {
      var recomputed = -1.0
      for first in 0...4 {
        let report = try changed(seed) {
          $0.strategies = [ActivationCheckpointing(.first(first))]
          $0.attention = .sdpa
        }
        #expect(report.recompute.flopsFraction >= recomputed, "seed \(seed)")
        recomputed = report.recompute.flopsFraction
        #expect(report.recompute.flopsFraction < 0.34, "seed \(seed)")
      }
    }
  }

  @Test("every part of every breakdown is there, and they add up") func breakdown() throws {
    for seed in 0..<300 as Range<UInt64> {
      let report = try changed(seed) { _ in }
      for phase in report.phases {
        var sum = 0
        for role in Role.allCases {
          #expect(phase.breakdown[role] >= .zero, "seed \(seed), \(role)")
          sum += phase.breakdown[role].count
        }
        #expect(sum == phase.live.count, "seed \(seed)")
        #expect(phase.allocated >= phase.live, "seed \(seed)")
      }
    }
  }

  @Test("a plan costs the same events for ten layers as for a thousand") func constantCost() throws
  {
    func events(_ layers: Int) throws -> Int {
      var settings = try Settings(
        ["model_type": "llama", "num_hidden_layers": .integer(layers)], path: "model")
      let family = try Llama(&settings)
      let plan = TrainingPlan()
      return try TrainingStep(try family.graph(plan.context), plan).schedule.events.count
    }
    #expect(try events(10) == events(1000))
  }
}

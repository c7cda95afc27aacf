import Testing

@testable import Planner

@Suite("What a step keeps of its replays") struct ReplayedStepTests {
  @Test(
    "is what a replay of its own gives, for every limit and every way", arguments: [false, true])
  func limits(expandable: Bool) throws {
    for seed in 0..<12 as Range<UInt64> {
      let scenario = try Scenario.random(seed)
      let plan = try Planner.decide(scenario)
      guard plan.pipeline == nil else { continue }
      let graph = try scenario.model.family.graph(plan.context)
      let step = try TrainingStep(graph, plan)
      let kept = ReplayedStep(graph, plan, step)
      var settings = AllocatorSettings()
      settings.expandableSegments = expandable
      let rules = AllocatorRules(settings)
      let most = try kept.outcome(of: .init(rules: rules), limit: DeviceMemory.unlimited).most
      let orders: [DeviceMemory.AddressOrder] = [.ascending, .descending, .shuffled(1)]
      let ways = orders.map { ReplayedStep.Way(rules: rules, order: $0) }
      for limit in [2 * most, most, most - (2 << 20), most / 4 * 3, most, 2 * most] {
        let found = try kept.outcomes(ways, limit: limit)
        for (way, outcome) in zip(ways, found) {
          let alone = ReplayOutcome(try kept.script(), way, limit: limit)
          #expect(outcome.survives == alone.survives, "seed \(seed), \(limit)")
          #expect(outcome.phases == alone.phases, "seed \(seed), \(limit)")
          #expect(outcome.held == alone.held && outcome.retries == alone.retries)
          #expect(outcome.largestFreeBlock == alone.largestFreeBlock)
        }
      }
    }
  }
}

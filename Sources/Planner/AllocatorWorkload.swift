/// A scenario's two steps as the allocator sees them, for measuring how fast it is replayed.
package struct AllocatorWorkload {
  private let script: ReplayScript
  private let rules: AllocatorRules

  /// Writes the script of a scenario.
  package init(_ scenario: Scenario) throws(PlanError) {
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let step = try TrainingStep(graph, plan, unrolls: true)
    script = ReplayScript(step.schedule, graph.program)
    rules = AllocatorRules(scenario.allocator)
  }

  /// Allocations and releases.
  package var events: Int { script.loading.count + script.first.count + script.second.count }

  /// Replays it once on a device without limit, and says what is reserved then.
  package func replay() -> Int { AllocatorReplay(script, rules, DeviceMemory()).reserved }
}

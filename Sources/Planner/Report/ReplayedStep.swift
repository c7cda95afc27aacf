/// A step as the allocator sees it: every layer on its own.
///
/// It is written out when it is first replayed, and keeps what its replays came to: a run that never met its limit
/// is the same under every limit above what it held.
final class ReplayedStep {
  let program: Program
  /// How many events it has, about.
  let events: Int
  /// How many layers it has.
  let layers: Int
  /// The step with all layers, or with one in so many.
  let unrolled: (Int) throws(PlanError) -> TrainingStep
  private var written: ReplayScript?
  private var known: [Way: ReplayOutcome] = [:]

  /// What a replay depends on beside the step and the limit.
  struct Way: Hashable, Sendable {
    var rules: AllocatorRules
    var order = DeviceMemory.AddressOrder.ascending
    /// Whether the host is as far ahead of the streams as it can be.
    var runsAhead = false
  }

  init(
    program: Program, events: Int, layers: Int,
    unrolled: @escaping (Int) throws(PlanError) -> TrainingStep
  ) {
    (self.program, self.events, self.layers) = (program, events, layers)
    self.unrolled = unrolled
  }

  /// The step of a device that has all layers.
  convenience init(_ graph: LayerGraph, _ plan: TrainingPlan, _ step: TrainingStep) {
    self.init(
      program: graph.program, events: step.schedule.unfoldedCount, layers: graph.layers
    ) { (divisor) throws(PlanError) in
      if divisor == 1, step.isUnrolled { return step }
      var fewer = graph
      if divisor > 1 {
        for stack in fewer.stacks.indices {
          fewer.stacks[stack].layers = max(1, fewer.stacks[stack].layers / divisor)
        }
      }
      return try TrainingStep(fewer, plan, unrolls: true)
    }
  }

  /// What the allocator is asked to do.
  func script() throws(PlanError) -> ReplayScript {
    if let written { return written }
    let script = ReplayScript(try unrolled(1).schedule, program)
    written = script
    return script
  }

  /// What replays on a device of `limit` bytes come to, in the order of `ways`; as many at a time as there are cores.
  func outcomes(_ ways: [Way], limit: Int) throws(PlanError) -> [ReplayOutcome] {
    let script = try script()
    let missing = ways.filter { outcome($0, limit: limit) == nil }
    let found = Parallel.map(missing.count) { index in
      ReplayOutcome(script, missing[index], limit: limit)
    }
    var fresh: [Way: ReplayOutcome] = [:]
    for (way, outcome) in zip(missing, found) {
      fresh[way] = outcome
      if outcome.isUnlimited { known[way] = outcome }
    }
    return ways.compactMap { fresh[$0] ?? known[$0] }
  }

  /// What one comes to.
  func outcome(of way: Way, limit: Int) throws(PlanError) -> ReplayOutcome {
    if let known = outcome(way, limit: limit) { return known }
    let outcome = ReplayOutcome(try script(), way, limit: limit)
    if outcome.isUnlimited { known[way] = outcome }
    return outcome
  }

  private func outcome(_ way: Way, limit: Int) -> ReplayOutcome? {
    guard let known = known[way] else { return nil }
    // Ranges of addresses that grow are as long as the device is large.
    return known.most <= limit && (!way.rules.expandable || known.limit == limit) ? known : nil
  }
}

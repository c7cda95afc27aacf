/// A step as the allocator sees it: every layer on its own.
struct ReplayedStep {
  let program: Program
  /// How many events it has, about.
  let events: Int
  /// How many layers it has.
  let layers: Int
  /// The step with all layers, or with one in so many.
  let unrolled: (Int) throws(PlanError) -> TrainingStep

  init(
    program: Program, events: Int, layers: Int,
    unrolled: @escaping (Int) throws(PlanError) -> TrainingStep
  ) {
    (self.program, self.events, self.layers) = (program, events, layers)
    self.unrolled = unrolled
  }

  /// The step of a device that has all layers.
  init(_ graph: LayerGraph, _ plan: TrainingPlan, _ step: TrainingStep) {
    self.init(
      program: graph.program, events: step.schedule.unfoldedCount, layers: graph.layers
    ) { (divisor) throws(PlanError) in
      var fewer = graph
      if divisor > 1 {
        for stack in fewer.stacks.indices {
          fewer.stacks[stack].layers = max(1, fewer.stacks[stack].layers / divisor)
        }
      }
      return try TrainingStep(fewer, plan, unrolls: true)
    }
  }
}

extension Planner {
  /// Allocations and releases of one step that a timeline holds.
  static let mostTimelineEvents = 200_000

  /// The second step of a scenario laid out in time; of a model of at most `layers` layers in each stack.
  ///
  /// - Throws: ``PlanError/Kind/unsupported`` where the step has too many events, with the number of layers that works.
  public static func timeline(of scenario: Scenario, layers: Int? = nil) throws(PlanError)
    -> Timeline
  {
    let plan = try decide(scenario)
    guard plan.pipeline == nil else {
      throw PlanError(
        .unsupported, "the step of a pipeline's rank cannot be laid out in time",
        path: "strategies.pipeline_parallel", fix: "Leave \"pipeline_parallel\" out to see a step.")
    }
    var graph = try scenario.model.family.graph(plan.context)
    let whole = graph.layers
    if let layers {
      for stack in graph.stacks.indices {
        graph.stacks[stack].layers = min(graph.stacks[stack].layers, layers)
      }
    }
    let folded = try TrainingStep(graph, plan)
    _ = try MemoryFold(folded.schedule)
    let events = folded.schedule.unfoldedCount
    guard events <= mostTimelineEvents else { throw .tooLong(events, graph) }
    let step = try TrainingStep(graph, plan, unrolls: true, timed: true)
    var builder = TimelineBuilder(
      step, graph, name: scenario.name, bandwidth: plan.context.kernels.bandwidth)
    var timeline = builder.build()
    timeline.notes.append("the second step; times are estimates")
    if graph.layers < whole { timeline.notes.append("\(graph.layers) of \(whole) layers") }
    if plan.microBatches > 3 {
      timeline.notes.append("the middle ones of \(plan.microBatches) micro-batches are left out")
    }
    return timeline
  }
}

extension PlanError {
  fileprivate static func tooLong(_ events: Int, _ graph: LayerGraph) -> Self {
    let most = graph.stacks.map(\.layers).max() ?? 1
    let fewer = max(
      1, Int(Double(most) * Double(Planner.mostTimelineEvents) / Double(events) * 0.8))
    return Self(
      .unsupported, "a step of \(events) allocations and releases is too long to be shown",
      path: "model", fix: "Add --layers \(fewer): the same model with fewer layers.")
  }
}

/// Layers whose kept values a minimum cut chooses, beside whole layers.
extension CheckpointSearch {
  /// A plan for each memory budget that keeps other values, and the options on the hull.
  ///
  /// Two options are mixed where no third one lies below the line between them: for equal layers the best of all
  /// mixtures of many is one of these, but for what a single layer adds (a multiple-choice knapsack of equal items).
  func cuts(_ layers: Int) throws(PlanError) -> CheckpointOptions {
    let isReentrant = with(.none).strategies.contains {
      ($0 as? ActivationCheckpointing)?.reentrant == true
    }
    guard layers > 0, !isReentrant, (try? Planner.decide(with(.minCut(budget: 1)))) != nil else {
      return CheckpointOptions(options: [])
    }
    var search = self
    let plan = try Planner.decide(with(.none))
    search.recomputations.prepare(try scenario.model.family.graph(plan.context), for: plan)
    let options = search.recomputations.budgets.map { LayerOption.minCut(budget: $0) }
    let whole = [(LayerOption.none, try search.plan(.none)), (.full, try search.plan(.full))]
    // The graph is known now, and shared.
    let shared = search
    let planned = Parallel.map(options.count) { index in
      var search = shared
      return Result { () throws(PlanError) in
        try search.plan(CheckpointMixture.policy(options[index], layers, options[index]))
      }
    }
    var uniform: [CheckpointTable.Plan] = []
    for plan in planned { uniform.append(try plan.get()) }
    let all = whole + zip(options, uniform)
    let hull = Self.hull(all)
    return CheckpointOptions(
      options: hull.filter { !$0.isWhole }, uniform: uniform,
      mixture: CheckpointMixture(search, layers: layers, neighbours: hull))
  }

  /// The options that no mixture of two others beats, the fastest first: the lower hull of time over memory.
  static func hull(_ options: [(option: LayerOption, plan: CheckpointTable.Plan)]) -> [LayerOption]
  {
    let sorted = options.enumerated().sorted {
      let (a, b) = ($0.element.plan, $1.element.plan)
      return (a.seconds, a.allocated.count, $0.offset) < (b.seconds, b.allocated.count, $1.offset)
    }.map(\.element)
    var hull: [(option: LayerOption, plan: CheckpointTable.Plan)] = []
    func isAbove(
      _ middle: CheckpointTable.Plan, _ a: CheckpointTable.Plan, _ b: CheckpointTable.Plan
    )
      -> Bool
    {
      let across = (b.seconds - a.seconds) * Double(middle.allocated.count - a.allocated.count)
      let along = (middle.seconds - a.seconds) * Double(b.allocated.count - a.allocated.count)
      return across >= along
    }
    for next in sorted {
      if let last = hull.last, next.plan.allocated >= last.plan.allocated { continue }
      while hull.count > 1,
        isAbove(hull[hull.count - 1].plan, hull[hull.count - 2].plan, next.plan)
      {
        hull.removeLast()
      }
      hull.append(next)
    }
    return hull.map(\.option)
  }
}

/// How the layers of a scenario run for each memory budget: found once, and used by every plan of a search.
struct KnownRecomputations: Sendable {
  /// The budgets that keep different values in any layer.
  private(set) var budgets: [Double] = []
  private var plans: [RecomputePlan.Key: RecomputePlan] = [:]
  private var key: CheckpointSearch.GraphKey?

  /// Finds the budgets of a model's layers, and how each runs.
  mutating func prepare(_ graph: LayerGraph, for plan: TrainingPlan) {
    let sections = Set(
      graph.stacks.flatMap { $0.pattern + ($0.leading.map { [$0.section] } ?? []) }
    ).sorted()
    let blocks = sections.flatMap { section in [(section, true), (section, false)] }
    let values = Parallel.map(blocks.count) { index in
      let (section, requires) = blocks[index]
      let joint = JointGraph(graph.program, section: section, inputRequires: requires)
      let values = SavedValues(joint)
      return (values, distinct: requires ? values.distinct() : [:])
    }
    let budgets = Set(values.flatMap(\.distinct.keys)).sorted(by: >)
    let found = Parallel.map(blocks.count) { index in
      let (section, requires) = blocks[index]
      return RecomputePlan.all(
        graph.program, section: section, inputRequires: requires, values[index].0, budgets: budgets,
        known: values[index].distinct)
    }
    for plans in found { self.plans.merge(plans) { $1 } }
    self.budgets = budgets
    key = CheckpointSearch.GraphKey(plan.context)
  }

  /// What is known of the layers of a graph that is written in this way.
  func plans(of key: CheckpointSearch.GraphKey) -> [RecomputePlan.Key: RecomputePlan] {
    key == self.key ? plans : [:]
  }

  /// What is known of layers with an option: they are written as without checkpoints.
  func plans(of option: LayerOption) -> [RecomputePlan.Key: RecomputePlan] {
    if case .minCut = option { plans } else { [:] }
  }
}

extension CheckpointSearch.GraphKey {
  init(_ context: ForwardContext) {
    self.init(
      checkpoints: context.checkpoints, enables: context.enablesCheckpointing,
      requires: context.inputRequiresGradient)
  }
}

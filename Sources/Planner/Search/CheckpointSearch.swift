/// Plans every checkpointing policy of whole layers, and finds the fastest that fits.
///
/// There is no grid: `first:n` is planned for every `n` and `every:k` for every `k`, each by the simulator, whose
/// folded layers make a plan as cheap for 126 layers as for two. Only plans on the Pareto front are tried on the
/// allocator, from the fastest on, at distances that double and then halve.
struct CheckpointSearch {
  let scenario: Scenario
  private let base: ActivationCheckpointing
  private var graphs: [GraphKey: LayerGraph] = [:]
  private var known: [ActivationCheckpointing.Policy: CheckpointTable.Plan] = [:]
  private var replayed: [ActivationCheckpointing.Policy: ReplayedStep] = [:]
  /// How layers run whose values a minimum cut chose, known ahead.
  var recomputations = KnownRecomputations()

  /// What of a policy changes how the forward pass is written.
  struct GraphKey: Hashable {
    let checkpoints: Bool
    let enables: Bool
    let requires: Bool
  }

  /// A tenth of the memory.
  static let slack = 10

  init(_ scenario: Scenario) {
    let given = scenario.strategies.lazy.compactMap { $0 as? ActivationCheckpointing }.first
    base = given ?? ActivationCheckpointing(.full)
    self.scenario = scenario
  }

  /// The scenario with `auto` replaced by what it stands for, and a note of it.
  static func resolved(_ scenario: Scenario) throws(PlanError) -> Scenario {
    for (index, strategy) in scenario.strategies.enumerated() {
      guard let checkpointing = strategy as? ActivationCheckpointing,
        case .auto(let budget) = checkpointing.policy
      else { continue }
      var limited = scenario
      if let budget { limited.device.memory = min(budget, limited.device.memory) }
      let chosen = checkpointing.with(try Self(limited).choice())
      var resolved = scenario
      resolved.strategies[index] = chosen
      resolved.defaults.append(
        Assumption(
          "checkpointing",
          "\(chosen.label), the fastest policy of whole layers that fits"
            + (budget.map { " into \($0)" } ?? ""), source: "plan checkpoint"))
      return resolved
    }
    return scenario
  }

  /// All plans, and the choices among them.
  func table() throws(PlanError) -> CheckpointTable {
    let layers = try Planner.layers(of: with(.none))
    let limit = scenario.device.memory
    var search = self
    // These make the graphs that all others share.
    for policy in Self.policies(layers).prefix(Self.shared) { _ = try search.plan(policy) }
    let start = search
    let (whole, (selective, cut)) = Parallel.both {
      Result { () throws(PlanError) in try start.wholeLayers(layers, within: limit) }
    } _: {
      Parallel.both {
        Result { () throws(PlanError) in try start.selective(layers) }
      } _: {
        Result { () throws(PlanError) in try start.cuts(layers) }
      }
    }
    let (uncut, mixed, cuts) = (try whole.get(), try selective.get(), try cut.get())
    search.recomputations = cuts.mixture?.search.recomputations ?? search.recomputations
    let base = search
    let ((mixture, cutting), (bound, remedies)) = Parallel.both {
      Parallel.both {
        Result { () throws(PlanError) in try mixed.best(within: limit, beyond: uncut.beyond) }
      } _: {
        Result { () throws(PlanError) in try cuts.best(within: limit, beyond: uncut.beyond) }
      }
    } _: {
      Parallel.both {
        Result { () throws(PlanError) in
          // With every layer checkpointed an adapted model's first layer has a gradient to pass on, and more to do.
          try CheckpointBound(
            base, options: mixed.options + cuts.options, layers: layers,
            seconds: uncut.plans.map(\.kernels).max() ?? 0, most: uncut.plans[0].live)
        }
      } _: {
        uncut.recommended == nil ? (try? Planner.remedies(for: base.with(.full))) ?? [] : []
      }
    }
    let fraction = try bound.get()
    func held(_ choice: CheckpointTable.Choice) -> CheckpointTable.Choice {
      var choice = choice
      choice.bound = fraction?.fraction(within: choice.plan.live)
      return choice
    }
    let last = uncut.front.last ?? uncut.plans[0]
    let least = try CheckpointTable.Choice(
      plan: last, report: search.report(last.checkpointing.policy, within: limit, .tensors))
    return CheckpointTable(
      name: scenario.name, device: scenario.device.name, capacity: limit, layers: layers,
      plans: uncut.plans, selective: mixed.uniform.filter(\.checkpointing.policy.isSelective),
      cuts: cuts.uniform, recommended: uncut.recommended.map(held),
      withSlack: uncut.withSlack.map(held), mixture: try mixture.get().map(held),
      cut: try cutting.get().map(held), least: held(least),
      limit: try search.limit(of: last), remedies: remedies)
  }

  /// The policies of whole layers, and the choices among them.
  private struct WholeLayers {
    /// Every policy.
    let plans: [CheckpointTable.Plan]
    /// Those that no other one beats, the fastest first.
    let front: [CheckpointTable.Plan]
    /// The fastest that fits.
    let recommended: CheckpointTable.Choice?
    /// The fastest that leaves a tenth of the memory free.
    let withSlack: CheckpointTable.Choice?

    /// What the allocator takes beyond the tensors, which is much the same for all plans of a scenario.
    var beyond: Int? { recommended.map { $0.report.need.count - $0.plan.allocated.count } }
  }

  private func wholeLayers(_ layers: Int, within limit: Bytes) throws(PlanError) -> WholeLayers {
    var search = self
    var plans = try search.plans(Self.policies(layers))
    let front = Self.markFront(&plans).map { plans[$0] }
    let tenth = Bytes(limit.count - limit.count / Self.slack)
    return WholeLayers(
      plans: plans, front: front, recommended: try search.fastest(front, within: limit),
      withSlack: try search.fastest(front, within: tenth))
  }

  /// The selective options of a layer.
  private func selective(_ layers: Int) throws(PlanError) -> CheckpointOptions {
    guard !base.reentrant, layers > 0 else { return CheckpointOptions(options: [.none, .full]) }
    var mixture = CheckpointMixture(self, layers: layers, names: try operations())
    let uniform = try mixture.uniform()
    return CheckpointOptions(options: mixture.options, uniform: uniform, mixture: mixture)
  }

  /// The operators of the model's layers whose results a selective checkpoint can keep.
  private func operations() throws(PlanError) -> [SavedOperations.Name] {
    let plan = try Planner.decide(with(.none))
    let graph = try scenario.model.family.graph(plan.context)
    return SavedOperations.Name.allCases.filter { name in
      graph.program.sections.dropFirst().contains { section in
        section.instructions.contains {
          $0.code == .record && name.includes(graph.program.operations[Int($0.b)].name)
        }
      }
    }
  }

  /// The policy that `auto` stands for: the fastest that fits, or the one with the least memory.
  func choice() throws(PlanError) -> ActivationCheckpointing.Policy {
    var search = self
    var plans = try search.plans(Self.policies(try Planner.layers(of: with(.none))))
    let front = Self.markFront(&plans).map { plans[$0] }
    let found = try search.fastest(front, within: scenario.device.memory)?.plan ?? front.last
    return found?.checkpointing.policy ?? .full
  }

  /// Every policy of whole layers; two that checkpoint the same layers in the same way are one.
  static func policies(_ layers: Int) -> [ActivationCheckpointing.Policy] {
    var policies: [ActivationCheckpointing.Policy] = [.none, .full]
    if layers > 0 { policies += (1...min(layers, most)).map { .first($0) } }
    if layers > 3 { policies += (2...min(layers / 2, most)).map { .every($0) } }
    return policies
  }

  /// Real models have at most 126 layers; beyond this many, the first ones are planned.
  private static let most = 1024

  /// The scenario with a policy.
  func with(_ policy: ActivationCheckpointing.Policy) -> Scenario {
    var other = scenario
    let place = other.strategies.firstIndex { $0 is ActivationCheckpointing }
    if let place {
      other.strategies[place] = base.with(policy)
    } else {
      other.strategies.append(base.with(policy))
    }
    return other
  }

  /// Policies in their order, by the simulator, on all cores.
  private mutating func plans(_ policies: [ActivationCheckpointing.Policy]) throws(PlanError)
    -> [CheckpointTable.Plan]
  {
    var plans: [CheckpointTable.Plan] = []
    for policy in policies.prefix(Self.shared) { plans.append(try plan(policy)) }
    let (search, rest) = (self, Array(policies.dropFirst(Self.shared)))
    let others = Parallel.map(rest.count) { index in
      var search = search
      return Result { () throws(PlanError) in try search.plan(rest[index]) }
    }
    for other in others { plans.append(try other.get()) }
    for plan in plans { known[plan.checkpointing.policy] = plan }
    return plans
  }

  /// No layer, all, one: planned first, since they make the graphs that the others share.
  private static let shared = 3

  /// One policy, by the simulator.
  mutating func plan(_ policy: ActivationCheckpointing.Policy) throws(PlanError)
    -> CheckpointTable.Plan
  {
    if let known = known[policy] { return known }
    let (plan, step, fold) = try simulate(policy)
    var (top, rounded) = (0, 0)
    for (index, peak) in fold.peaks.enumerated() {
      if peak.live > fold.peaks[top].live { top = index }
      rounded = max(rounded, peak.rounded)
    }
    let found = CheckpointTable.Plan(
      checkpointing: base.with(policy), live: Bytes(fold.peaks[top].live),
      phase: Phase.allCases[top], recompute: Report.Recompute(step.work),
      seconds: Self.toNanoseconds(
        try StepTimeBuilder(scenario, plan, step).time().expected.value),
      kernels: step.work.time.seconds, allocated: Bytes(rounded))
    known[policy] = found
    return found
  }

  /// The report of one policy on `limit` bytes, to whatever effort; its replays are kept for other limits.
  mutating func report(
    _ policy: ActivationCheckpointing.Policy, within limit: Bytes, _ effort: ReservedMemory.Effort
  ) throws(PlanError) -> Report {
    var other = with(policy)
    other.device.memory = limit
    let plan = try Planner.decide(other)
    guard plan.pipeline == nil else { return try Planner.plan(other, effort) }
    let graph = try graph(plan)
    let step = try TrainingStep(
      graph, plan, recomputations: recomputations.plans(of: GraphKey(plan.context)))
    let kept = replayed[policy] ?? ReplayedStep(graph, plan, step)
    replayed[policy] = kept
    return try ReportBuilder(other, plan, graph, step, effort, replayed: kept).report()
  }

  /// The graph that a plan's forward pass is written on.
  private mutating func graph(_ plan: TrainingPlan) throws(PlanError) -> LayerGraph {
    let key = GraphKey(plan.context)
    if let known = graphs[key] { return known }
    let graph = try scenario.model.family.graph(plan.context)
    graphs[key] = graph
    return graph
  }

  /// Whole nanoseconds: policies that compute the same in another order take the same time.
  private static func toNanoseconds(_ seconds: Double) -> Double {
    let count = (seconds * 1e9).rounded()
    return count.isFinite ? count / 1e9 : seconds
  }

  mutating func simulate(_ policy: ActivationCheckpointing.Policy) throws(PlanError)
    -> (TrainingPlan, TrainingStep, MemoryFold)
  {
    let plan = try Planner.decide(with(policy))
    let graph = try graph(plan)
    if let pipeline = plan.pipeline,
      let fullest = try PipelineSteps(graph, plan, pipeline).fullest
    {
      return (plan, fullest.step, fullest.fold)
    }
    let step = try TrainingStep(
      graph, plan, recomputations: recomputations.plans(of: GraphKey(plan.context)))
    return (plan, step, try MemoryFold(step.schedule))
  }

  /// A step of so many layers of the one kind that the model has, each written out; `nil` where it has several.
  func step(of layers: Int, _ option: LayerOption, earlyStop: Bool) throws(PlanError)
    -> TrainingStep?
  {
    var other = scenario
    other.workload.gradientAccumulationSteps = 1
    let policy = CheckpointMixture.policy(option, layers, option)
    let checkpointing = ActivationCheckpointing(policy, reentrant: false, earlyStop: earlyStop)
    other.strategies.removeAll { $0 is ActivationCheckpointing }
    other.strategies.append(checkpointing)
    let plan = try Planner.decide(other)
    var search = self
    var graph = try search.graph(plan)
    guard graph.stacks.count == 1, graph.stacks[0].leading == nil,
      graph.stacks[0].pattern.count == 1
    else { return nil }
    graph.stacks[0].layers = layers
    return try TrainingStep(
      graph, plan, unrolls: true, recomputations: recomputations.plans(of: option))
  }

  /// What decides the peak of a plan.
  private mutating func limit(of plan: CheckpointTable.Plan) throws(PlanError)
    -> CheckpointTable.Limit
  {
    if plan.phase == .optimizer { return .optimizer }
    let (_, step, fold) = try simulate(plan.checkpointing.policy)
    let place = PeakLocator(fold.peaks[Int(plan.phase.rawValue)], in: step.schedule)
    return place.layer == nil ? .outsideLayers : .layers
  }

  /// Marks the plans that no other one beats.
  ///
  /// - Returns: Their indices, the fastest first.
  static func markFront(_ plans: inout [CheckpointTable.Plan]) -> [Int] {
    let order = plans.indices.sorted {
      (plans[$0].seconds, plans[$0].live.count, $0) < (plans[$1].seconds, plans[$1].live.count, $1)
    }
    var front: [Int] = []
    for index in order {
      guard let last = front.last else {
        front.append(index)
        continue
      }
      if plans[index].live < plans[last].live { front.append(index) }
    }
    for index in front { plans[index].isOnFront = true }
    return front
  }

  /// The first plan of a front that fits: found with one order of addresses, and then tried with all.
  private mutating func fastest(_ front: [CheckpointTable.Plan], within limit: Bytes)
    throws(PlanError) -> CheckpointTable.Choice?
  {
    var start = front.firstIndex { $0.allocated <= limit } ?? front.count
    while let index = try first(of: front, from: start, within: limit) {
      let report = try report(front[index].checkpointing.policy, within: limit, .verdict)
      if report.fits { return CheckpointTable.Choice(plan: front[index], report: report) }
      start = index + 1
    }
    return nil
  }

  /// The first plan from `start` on that fits with one order of addresses.
  private mutating func first(
    of front: [CheckpointTable.Plan], from start: Int, within limit: Bytes
  ) throws(PlanError) -> Int? {
    var (low, high) = (start, front.count)
    var best: Int?
    var step = 1
    var at = low
    while low < high {
      let index = min(at, high - 1)
      if try report(front[index].checkpointing.policy, within: limit, .quick).fits {
        (best, high) = (index, index)
      } else {
        low = index + 1
        step = best == nil ? step * 2 : step
      }
      at = best == nil ? low + step - 1 : (low + high) / 2
    }
    return best
  }
}

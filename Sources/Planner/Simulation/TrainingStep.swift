/// Puts a training step together: what is always there, the micro-batches, clipping and the optimizer.
///
///     loss = model(input_ids=ids, labels=ids).loss
///     loss.backward()
///     clip_grad_norm_(…); optimizer.step(); optimizer.zero_grad(set_to_none=True)
///
/// The second step counts: the optimizer has its states, gradients were set to `None`.
struct TrainingStep {
  /// The events of the step.
  var schedule: Schedule
  /// Whether every layer stands in it on its own.
  let isUnrolled: Bool
  /// What it computes.
  var work: Work
  /// The parts in which collectives run beside kernels: forwards and backwards of micro-batches.
  var overlaps: [Overlap] = []
  /// What clipping and the optimizer's step compute and move on this device.
  var update: UpdateWork
  /// What the host keeps of one micro-batch's saved tensors.
  var host: HostCopies
  /// What the host keeps of the optimizer's states and of the weights, where the distribution puts them there.
  var hostShare: HostShare?
  /// All weights of the model, with how many layers have each.
  var weights: [Weight]

  /// A weight that `count` layers have.
  struct Weight: Sendable {
    var name: StaticString
    var spec: TensorSpec
    /// The bytes of each tensor that holds it.
    var tensors: [Int]
    var trainable: Bool
    var count: Int
    /// Weights of the same section follow each other; layers of a section repeat.
    var section: Int
    /// Elements of the whole weight, where several devices share it.
    var whole: Int?
    /// Whether its gradient is laid out over devices as the weight is not.
    var redistributesGradient = false
    /// Elements that one token is computed with, where that is not all of them.
    var active: Int?
    /// Its number among the leaves of the program.
    var leaf = 0
    /// What is allocated while it is quantized, and freed again.
    var loading: [Int] = []
    /// The storage of its gradient, where each layer runs on its own; else -1.
    var gradient: Int32 = -1
    /// The storage of its memory, and the next one of the memory that it moves to, where its optimizer moves it; else -1.
    var storage: Int32 = -1
    /// Whether it is the weight of an `nn.Linear` of its own.
    var isLinear = false

    /// The weight as an optimizer sees it.
    var trained: TrainedWeight { TrainedWeight(name: name, spec: spec, isLinear: isLinear) }
  }

  /// What the passes through each part of the model take, on a rank of a pipeline.
  var passes: [PassTimes] = []

  /// Where each operation runs, for a step that is timed.
  var spans: ContiguousArray<Tape.Span>

  /// Runs the step of a plan.
  init(
    _ graph: LayerGraph, _ plan: TrainingPlan, unrolls: Bool = false, timed: Bool = false,
    recomputations: [RecomputePlan.Key: RecomputePlan] = [:]
  ) throws(PlanError) {
    let stacks = LayerRuns.all(of: graph, retention: plan.retention(graph.layers))
    let runs = stacks.reduce(0) { $1.sequence.cycles.reduce($0) { $0 + $1.runs.count } }
    guard runs <= Self.mostRuns else { throw .tooIrregular(runs) }
    let distribution = try plan.distribution?(graph, plan)
    let streams = plan.placement.streams
    let unrolls = unrolls || streams != nil || distribution?.walksEveryLayer == true
    isUnrolled = unrolls
    var tape = Tape(
      graph.program, stacks: stacks, distribution: distribution, earlyStop: plan.earlyStop,
      unrolls: unrolls, kernels: plan.context.kernels)
    tape.timed = timed
    tape.recomputations = recomputations
    weights = Self.weights(of: graph)
    let listed = unrolls ? Self.layerByLayer(weights, of: graph) : weights
    var local = try distribution?.local(listed) ?? listed
    if plan.optimizer.movesWeights, tape.unrolls, distribution == nil {
      Self.nameMemory(of: &local, in: &tape)
    }
    try Self.reside(local, plan, &tape)
    let addsBiasAgain = tape.cutsAddBiasAgain()
    try Self.resideOnce(
      local, plan, graph, unrolls: tape.unrolls, addsBiasAgain: addsBiasAgain, &tape.schedule)

    tape.savesOnHost = plan.placement.activations != nil
    tape.streams = streams.map { StreamedCopies(minimum: $0.minimum, stash: $0.stash) }
    tape.pinsHost = plan.placement.activations == .pinned
    if plan.optimizer.stepsInBackward { tape.updates = try Self.updates(graph, plan) }

    let ids = try checkedProduct(plan.context.batch, plan.context.sequence, 8)
    var overlaps: [Overlap] = []
    var before = Work()
    /// A part of a micro-batch that is `count` times in the step is over.
    func part(of count: Int, _ tape: inout Tape) {
      overlaps.append(Overlap(work: tape.work, count: count))
      before.add(tape.work)
      tape.work = Work()
    }
    func microBatch(isLast: Bool, count: Int = 1, _ tape: inout Tape) {
      (before, tape.work) = (tape.work, Work())
      distribution?.begin(isLast: isLast)
      tape.beginStreamed()
      tape.schedule.begin(.forward)
      let inputs = (graph.inputs ?? [ids]).map {
        tape.allocate($0, .other, Moment.batch.rawValue)
      }
      distribution?.beforeForward(0, in: &tape)
      tape.run(section: 0)
      distribution?.afterForward(0, in: &tape)
      tape.holdOutput()
      for copy in tape.cached { tape.release(copy, Moment.end.rawValue) }
      tape.cached.removeAll(keepingCapacity: true)
      part(of: count, &tape)
      tape.schedule.begin(.backward)
      let scalar =
        plan.lossScalars > 0
        ? tape.allocate(tape.lossBytes * plan.lossScalars, .other, Moment.lossGradient.rawValue)
        : -1
      tape.backward()
      tape.release(scalar, Moment.end.rawValue)
      tape.dropLoss()
      for input in inputs { tape.release(input, Moment.end.rawValue) }
      part(of: count, &tape)
      tape.work = before
    }
    microBatch(isLast: plan.microBatches == 1, &tape)
    host = tape.host
    let last = distribution?.lastMicroBatchDiffers == true ? 1 : 0
    let rest = plan.microBatches - 1 - last
    tape.accumulates = true
    if rest > 0 {
      tape.forgetGraph()
      let one = tape.work
      tape.work = Work()
      tape.schedule.beginRepeat(rest)
      microBatch(isLast: last == 0, count: rest, &tape)
      tape.schedule.endRepeat()
      tape.work.scale(rest)
      tape.work.add(one)
    }
    if plan.microBatches > 1, last > 0 {
      tape.forgetGraph()
      microBatch(isLast: true, &tape)
    }

    // Memory that waits for the next allocation: the gradient that was freed last.
    let late =
      plan.optimizer.freesLate ? tape.allocate(tape.lastFreed, .gradients, Moment.end.rawValue) : -1
    tape.schedule.begin(.optimizer)
    tape.release(late, Moment.end.rawValue)
    let freed = try Self.update(
      local, named: Self.withGradients(local, of: tape), distribution.map { [$0] } ?? [], plan,
      &tape.schedule)
    for gradient in tape.gradients where !freed.contains(gradient) {
      tape.release(gradient, Moment.end.rawValue)
    }
    tape.dropOutput()
    tape.dropGraphBefore()
    hostShare = try distribution?.hostShare
    schedule = tape.schedule
    work = tape.work
    self.overlaps = overlaps
    update = try UpdateWork(local, of: plan)
    spans = tape.spans
  }

  /// Clipping and the optimizer's step.
  ///
  /// - Parameter named: The same weights with their gradients' storages, where the optimizer frees those itself.
  /// - Returns: The gradients that it freed.
  @discardableResult
  static func update(
    _ weights: [Weight], named: [Weight]? = nil, _ distributions: [any Distribution],
    _ plan: TrainingPlan, _ schedule: inout Schedule
  ) throws(PlanError) -> Set<Int32> {
    var freed: Set<Int32> = []
    for distribution in distributions { try distribution.beforeOptimizer(in: &schedule) }
    if plan.scalesLoss { LossScaler.unscale(&schedule) }
    if !distributions.contains(where: \.clips) { try plan.clip(weights, &schedule) }
    let waiting = (named ?? weights).filter {
      $0.trainable && !plan.optimizer.freesGradient(of: $0.spec)
    }
    if !waiting.isEmpty, !plan.updatesOnHost {
      var update = OptimizerStep(weights: waiting, schedule: schedule)
      update.kernels = plan.context.kernels
      if distributions.isEmpty { try update.redistribute(for: plan.optimizer) }
      try plan.optimizer.step(&update)
      schedule = update.schedule
      freed = update.freedGradients
    }
    for distribution in distributions { distribution.afterOptimizer(in: &schedule) }
    if plan.scalesLoss { LossScaler.update(&schedule) }
    return freed
  }

  /// The optimizer's step for each weight alone; `nil` for a weight whose gradient waits.
  private static func updates(_ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError)
    -> [ContiguousArray<Event>?]
  {
    var updates: [ContiguousArray<Event>?] = []
    for leaf in graph.program.leaves {
      guard plan.optimizer.freesGradient(of: leaf.spec) else {
        updates.append(nil)
        continue
      }
      let weight = Weight(
        name: leaf.name, spec: leaf.spec, tensors: leaf.tensors, trainable: leaf.trainable,
        count: 1, section: 0, isLinear: leaf.isLinear)
      var step = OptimizerStep(weights: [weight], schedule: Schedule())
      step.kernels = plan.context.kernels
      try plan.optimizer.step(&step)
      updates.append(step.schedule.events)
    }
    return updates
  }

  /// Runs of equal layers that are worth walking one by one; real models have at most 61 layers.
  static let mostRuns = 4096

  /// Every weight with the number of layers that have it, in the order of `model.parameters()`.
  static func weights(of graph: LayerGraph) -> [Weight] {
    var counts = Array(repeating: 0, count: graph.program.sections.count)
    for stack in graph.stacks {
      let leading = stack.leading?.count ?? 0
      if let first = stack.leading { counts[first.section] += leading }
      let (whole, rest) = (stack.layers - leading).quotientAndRemainder(
        dividingBy: max(1, stack.pattern.count))
      for (position, section) in stack.pattern.enumerated() {
        counts[section] += whole + (position < rest ? 1 : 0)
      }
    }
    return graph.program.leaves.indices.map { index in
      let leaf = graph.program.leaves[index]
      let section = graph.program.sections.indices.dropFirst().first {
        graph.program.sections[$0].leaves.contains(index)
      }
      return Weight(
        name: leaf.name, spec: leaf.spec, tensors: leaf.tensors, trainable: leaf.trainable,
        count: section.map { counts[$0] } ?? 1, section: section ?? 0,
        whole: leaf.whole, redistributesGradient: leaf.redistributesGradient, active: leaf.active,
        leaf: index, loading: leaf.loading,
        isLinear: leaf.isLinear)
    }
  }

  /// Weights with their optimizer states.
  static func reside(_ weights: [Weight], _ plan: TrainingPlan, _ tape: inout Tape)
    throws(PlanError)
  {
    let moment = Moment.resident.rawValue
    if let distribution = tape.distribution { try distribution.reside(weights, in: &tape) }
    if tape.unrolls { quantize(weights, &tape.schedule) }
    for weight in weights where weight.count > 0 {
      if tape.distribution == nil {
        for bytes in weight.tensors where weight.loading.isEmpty || !tape.unrolls {
          tape.schedule.allocate(
            bytes, count: weight.count, .parameters, moment,
            storage: weight.storage >= 0 ? weight.storage : Event.unnamed)
        }
      }
      guard weight.trainable, !plan.updatesOnHost else { continue }
      if tape.unrolls, plan.optimizer.stepsInBackward {
        tape.schedule.events.append(
          Event(kind: .update, count: Int32(truncatingIfNeeded: weight.leaf)))
      }
      let trained =
        tape.distribution == nil ? try weight.asFirstSeen(by: plan.optimizer) : weight.trained
      for state in try plan.optimizer.states(of: trained) {
        tape.schedule.allocate(state.bytes, count: weight.count, .optimizerState, moment)
      }
    }
  }

  /// What all weights share, buffers and library workspaces.
  static func resideOnce(
    _ weights: [Weight], _ plan: TrainingPlan, _ graph: LayerGraph, unrolls: Bool,
    addsBiasAgain: Bool = false,
    _ schedule: inout Schedule
  ) throws(PlanError) {
    let moment = Moment.resident.rawValue
    let trained = weights.filter { $0.trainable && $0.count > 0 }
    try plan.optimizer.check(trained.map(\.trained))
    for state in try plan.optimizer.sharedStates(of: trained.map(\.spec)) {
      schedule.allocate(state.bytes, .optimizerState, moment)
    }
    for bytes in plan.context.quantization?.shared ?? [] {
      schedule.allocate(bytes, .parameters, moment)
    }
    if plan.scalesLoss {
      schedule.allocate(LossScaler.resident, .optimizerState, moment)
    }
    for buffer in graph.buffers { schedule.allocate(buffer, .other, moment) }
    for workspace in plan.libraryWorkspaces(graph, addsBiasAgain: addsBiasAgain) {
      schedule.allocate(workspace, .workspace, moment)
    }
  }
}

extension Program.Leaf {
  /// Whether it is the weight of an `nn.Linear` of its own: a tied head is its embedding's, a router's a parameter.
  fileprivate var isLinear: Bool {
    isMultiplied && !isTable && !name.description.hasSuffix("mlp.gate.weight")
  }
}

extension PlanError {
  static func tooIrregular(_ runs: Int) -> Self {
    Self(
      .unsupported, "the layers follow no pattern: \(runs) runs of different kinds",
      path: "model.num_hidden_layers", fix: "Use fewer layers, or a pattern that repeats.")
  }
}

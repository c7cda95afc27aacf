/// Puts a training step together: what is always there, the micro-batches, clipping and the optimizer.
///
///     loss = model(input_ids=ids, labels=ids).loss
///     loss.backward()
///     clip_grad_norm_(…); optimizer.step(); optimizer.zero_grad(set_to_none=True)
///
/// The second step counts: the optimizer has its states, gradients were set to `None`.
struct TrainingStep {
  /// The events of the step.
  private(set) var schedule: Schedule
  /// What it computes.
  private(set) var work: Work
  /// What the host keeps of one micro-batch's saved tensors.
  private(set) var host: HostCopies
  /// All weights of the model, with how many layers have each.
  private(set) var weights: [Weight]

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
    /// Elements that one token is computed with, where that is not all of them.
    var active: Int?
  }

  /// Runs the step of a plan.
  init(_ graph: LayerGraph, _ plan: TrainingPlan, unrolls: Bool = false) throws(PlanError) {
    let layers = LayerSequence(
      sections: graph.pattern, leading: graph.leading, retention: plan.retention(graph.layers))
    let runs = layers.cycles.reduce(0) { $0 + $1.runs.count }
    guard runs <= Self.mostRuns else { throw .tooIrregular(runs) }
    var tape = Tape(
      graph.program, layers: layers, earlyStop: plan.earlyStop, unrolls: unrolls)
    weights = Self.weights(of: graph)
    try Self.resident(weights, plan, graph, &tape)

    tape.savesOnHost = plan.placement.activations != nil
    tape.pinsHost = plan.placement.activations == .pinned
    if plan.optimizer.stepsInBackward { tape.updates = try Self.updates(graph, plan) }

    let ids = try checkedProduct(plan.context.batch, plan.context.sequence, 8)
    func microBatch(_ tape: inout Tape) {
      tape.schedule.begin(.forward)
      let inputs = (graph.inputs ?? [ids]).map {
        tape.allocate($0, .other, Moment.batch.rawValue)
      }
      tape.run(section: 0)
      tape.holdOutput()
      for copy in tape.cached { tape.release(copy, Moment.end.rawValue) }
      tape.cached.removeAll(keepingCapacity: true)
      tape.schedule.begin(.backward)
      let scalar =
        plan.lossScalars > 0
        ? tape.allocate(tape.lossBytes * plan.lossScalars, .other, Moment.lossGradient.rawValue)
        : -1
      tape.backward()
      tape.release(scalar, Moment.end.rawValue)
      tape.dropLoss()
      for input in inputs { tape.release(input, Moment.end.rawValue) }
    }
    microBatch(&tape)
    host = tape.host
    if plan.microBatches > 1 {
      tape.forgetGraph()
      tape.accumulates = true
      tape.schedule.beginRepeat(plan.microBatches - 1)
      tape.copies = 1
      microBatch(&tape)
      tape.schedule.endRepeat()
    }

    // Memory that waits for the next allocation: the gradient that was freed last.
    let late =
      plan.optimizer.freesLate ? tape.allocate(tape.lastFreed, .gradients, Moment.end.rawValue) : -1
    tape.schedule.begin(.optimizer)
    tape.release(late, Moment.end.rawValue)
    try plan.clip(weights, &tape.schedule)
    let waiting = weights.filter { $0.trainable && !plan.optimizer.freesGradient(of: $0.spec) }
    if !waiting.isEmpty {
      var update = OptimizerStep(weights: waiting, schedule: tape.schedule)
      update.kernels = plan.context.kernels
      try plan.optimizer.step(&update)
      tape.schedule = update.schedule
    }
    for gradient in tape.gradients { tape.release(gradient, Moment.end.rawValue) }
    tape.dropOutput()
    schedule = tape.schedule
    work = tape.work
    work.scale(microBatches: plan.microBatches)
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
        count: 1, section: 0)
      var step = OptimizerStep(weights: [weight], schedule: Schedule())
      step.kernels = plan.context.kernels
      try plan.optimizer.step(&step)
      updates.append(step.schedule.events)
    }
    return updates
  }

  /// Runs of equal layers that are worth walking one by one; real models have at most 61 layers.
  private static let mostRuns = 4096

  /// Every weight with the number of layers that have it, in the order of `model.parameters()`.
  static func weights(of graph: LayerGraph) -> [Weight] {
    var counts = Array(repeating: 0, count: graph.program.sections.count)
    let leading = graph.leading?.count ?? 0
    if let first = graph.leading { counts[first.section] += leading }
    let (whole, rest) = (graph.layers - leading).quotientAndRemainder(
      dividingBy: max(1, graph.pattern.count))
    for (position, section) in graph.pattern.enumerated() {
      counts[section] += whole + (position < rest ? 1 : 0)
    }
    return graph.program.leaves.indices.map { index in
      let leaf = graph.program.leaves[index]
      let section = graph.program.sections.indices.dropFirst().first {
        graph.program.sections[$0].leaves.contains(index)
      }
      return Weight(
        name: leaf.name, spec: leaf.spec, tensors: leaf.tensors, trainable: leaf.trainable,
        count: section.map { counts[$0] } ?? 1, section: section ?? 0,
        active: leaf.active)
    }
  }

  /// Weights, optimizer states, buffers and library workspaces.
  private static func resident(
    _ weights: [Weight], _ plan: TrainingPlan, _ graph: LayerGraph, _ tape: inout Tape
  ) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for weight in weights where weight.count > 0 {
      for bytes in weight.tensors {
        tape.schedule.allocate(bytes, count: weight.count, .parameters, moment)
      }
      guard weight.trainable else { continue }
      for state in try plan.optimizer.states(of: weight.spec) {
        tape.schedule.allocate(state.bytes, count: weight.count, .optimizerState, moment)
      }
    }
    let trained = weights.filter { $0.trainable && $0.count > 0 }
    for state in try plan.optimizer.sharedStates(of: trained.map(\.spec)) {
      tape.schedule.allocate(state.bytes, .optimizerState, moment)
    }
    for bytes in plan.context.quantization?.shared ?? [] {
      tape.schedule.allocate(bytes, .parameters, moment)
    }
    for buffer in graph.buffers { tape.schedule.allocate(buffer, .other, moment) }
    for workspace in plan.libraryWorkspaces(graph) {
      tape.schedule.allocate(workspace, .workspace, moment)
    }
  }
}

extension Work {
  /// The work of one micro-batch, taken as often as a step has them.
  ///
  /// The tape counted the first and one more if there are several.
  fileprivate mutating func scale(microBatches: Int) {
    guard microBatches > 2 else { return }
    let (n, half) = (Int128(microBatches), Double(microBatches) / 2)
    flops = flops / 2 * n
    recomputed = recomputed / 2 * n
    seconds *= half
    recomputedSeconds *= half
  }
}

extension PlanError {
  fileprivate static func tooIrregular(_ runs: Int) -> Self {
    Self(
      .unsupported, "the layers follow no pattern: \(runs) runs of different kinds",
      path: "model.num_hidden_layers", fix: "Use fewer layers, or a pattern that repeats.")
  }
}

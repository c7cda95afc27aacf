/// The steps of a pipeline's ranks, equal ranks once.
struct PipelineSteps {
  /// One of them.
  struct Rank {
    let stage: PipelineStage
    /// All ranks that need the same memory.
    var ranks: [Int]
    let step: TrainingStep
    let fold: MemoryFold
    /// Bytes of live tensors at the highest point.
    var live: Int { fold.peaks.map(\.live).max() ?? 0 }
  }

  let graph: LayerGraph
  let plan: TrainingPlan
  let pipeline: PipelinePlan
  /// In the order of their first rank.
  let ranks: [Rank]

  /// What the passes of a part depend on.
  private struct PartKey: Hashable {
    let layers: LayerSequence
    let kind: ModelPart.Kind
    let local: [Bool]
    let isAlone: Bool
    let modes: [Bool]
  }

  /// What a rank's step depends on.
  private struct StageKey: Hashable {
    let parts: [PartKey]
    let order: PipelineOrder
  }

  /// Runs one step for each distinct rank.
  init(_ graph: LayerGraph, _ plan: TrainingPlan, _ pipeline: PipelinePlan) throws(PlanError) {
    (self.graph, self.plan, self.pipeline) = (graph, plan, pipeline)
    let retention = plan.retention(graph.layers)
    var parts: [PartKey: PartRun] = [:]
    var places: [StageKey: Int] = [:]
    var ranks: [Rank] = []
    for stage in try pipeline.stages(layers: graph.layers) {
      var keys: [PartKey] = []
      for (index, chunk) in stage.chunks.enumerated() {
        guard let stack = graph.stacks.first?.slice(chunk.part.layers) else { continue }
        keys.append(
          PartKey(
            layers: LayerSequence(
              sections: stack.pattern, leading: stack.leading,
              retention: retention.slice(
                from: chunk.part.layers.lowerBound, layers: chunk.part.layers.count)),
            kind: chunk.part.kind, local: [chunk.receivesLocally, chunk.sendsLocally],
            isAlone: stage.order.mostInFlight == 1, modes: stage.order.modes(of: index)))
      }
      let key = StageKey(parts: keys, order: stage.order)
      if let place = places[key] {
        ranks[place].ranks.append(stage.rank)
        continue
      }
      var runs: [PartRun] = []
      for (key, chunk) in zip(keys, stage.chunks) {
        if let known = parts[key] {
          runs.append(known)
          continue
        }
        let run = try Self.run(
          chunk, key.modes, stage, graph, plan, pipeline.transport, unrolls: false)
        parts[key] = run
        runs.append(run)
      }
      let step = try TrainingStep(stage, runs, plan, pipeline.transport, unrolls: false)
      places[key] = ranks.count
      ranks.append(
        Rank(stage: stage, ranks: [stage.rank], step: step, fold: try MemoryFold(step.schedule)))
    }
    self.ranks = ranks
  }

  private static func run(
    _ chunk: PipelineStage.Chunk, _ modes: [Bool], _ stage: PipelineStage, _ graph: LayerGraph,
    _ plan: TrainingPlan, _ transport: PipelineTransport, unrolls: Bool
  ) throws(PlanError) -> PartRun {
    try PartRun(
      chunk, of: graph, plan, transport, unrolls: unrolls,
      isAlone: stage.order.mostInFlight == 1, modes: modes)
  }

  /// The rank with the most live tensors.
  var fullest: Rank? { ranks.max { $0.live < $1.live } }

  /// What the allocator replays of a rank.
  func replayed(_ rank: Rank) -> ReplayedStep {
    let passes = rank.stage.order.pieces.reduce(0) { sum, piece in
      let copies = piece.actions.count > 1 ? min(piece.count, 3) : piece.count
      return min(1 << 32, sum + min(1 << 32, copies &* piece.actions.count))
    }
    // Cycles run three times at most, so that a step with all of them counts too much.
    let all = rank.step.schedule.unfoldedCount / max(1, rank.stage.order.passes)
    return ReplayedStep(
      program: graph.program, events: min(1 << 40, (all + 1) * passes), layers: rank.stage.layers
    ) { (divisor) throws(PlanError) in try unrolled(rank, layers: divisor) }
  }

  /// A rank's step with every layer and every micro-batch in flight on its own, for the allocator.
  func unrolled(_ rank: Rank, layers divisor: Int = 1) throws(PlanError) -> TrainingStep {
    var stage = rank.stage
    var runs: [PartRun] = []
    for index in stage.chunks.indices {
      let layers = stage.chunks[index].part.layers
      let fewer = layers.isEmpty ? 0 : max(1, layers.count / max(1, divisor))
      stage.chunks[index].part.layers = layers.lowerBound..<layers.lowerBound + fewer
      runs.append(
        try Self.run(
          stage.chunks[index], stage.order.modes(of: index), stage, graph, plan,
          pipeline.transport, unrolls: true))
    }
    return try TrainingStep(stage, runs, plan, pipeline.transport, unrolls: true)
  }
}

extension PipelineOrder {
  /// All passes of a step.
  var passes: Int { pieces.reduce(0) { min(1 << 40, $0 + $1.count &* $1.actions.count) } }

  /// Whether a part's backward is split, whole or both, the first micro-batch's ahead.
  func modes(of chunk: Int) -> [Bool] {
    var modes: [Bool] = []
    for piece in pieces {
      for action in piece.actions where action.chunk == chunk {
        guard action.kind == .backward || action.kind == .inputBackward else { continue }
        let split = action.kind == .inputBackward
        if !modes.contains(split) { modes.append(split) }
      }
    }
    return modes
  }
}

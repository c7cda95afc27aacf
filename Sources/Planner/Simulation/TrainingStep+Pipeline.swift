/// One rank's step of a pipeline: the passes of its parts in the order of the schedule.
extension TrainingStep {
  /// Writes the step of one rank from the passes of its parts.
  ///
  /// A pass that repeats is written once with a repetition around it, so that a step costs as much for eight
  /// micro-batches as for eight thousand. Unrolled, repeated cycles run three times: from then on every micro-batch
  /// finds what the one before found.
  init(
    _ stage: PipelineStage, _ runs: [PartRun], _ plan: TrainingPlan,
    _ transport: PipelineTransport, unrolls: Bool
  ) throws(PlanError) {
    var emission = PipelineEmission(stage.order, runs, unrolls: unrolls)
    let counts = emission.microBatches
    let local = runs.flatMap(\.local)
    if let first = runs.first {
      var graph = first.graph
      graph.buffers = []
      try Self.resideOnce(local, first.plan, graph, unrolls: unrolls, &emission.schedule)
    }
    if transport.buffersEveryMicroBatch {
      let moment = Moment.received.rawValue
      for (run, count) in zip(runs, counts) {
        let sent = run.chunk.part.hasHead ? 0 : run.times.sent
        for bytes in [run.received, sent] where bytes > 0 {
          _ = try checkedProduct(bytes, count)
          emission.schedule.allocate(bytes, count: count, .communication, moment)
        }
      }
    }
    if transport.copiesFromBuffer {
      try Self.resideBuffers(runs, counts, stage.order, &emission.schedule)
    }
    emission.schedule.begin(.forward)
    let batches = try Self.batches(runs, counts, transport)
    for bytes in batches { emission.schedule.allocate(bytes, .other, Moment.batch.rawValue) }
    emission.keepForOthers(stage.order)
    emission.run(stage.order)
    emission.schedule.begin(.backward)
    for (index, run) in runs.enumerated() { emission.append(run.end, of: index) }
    emission.free(\.loss)
    for bytes in batches { emission.schedule.free(bytes, .other, Moment.end.rawValue) }
    emission.schedule.begin(.optimizer)
    try Self.update(local, runs.compactMap(\.distribution), plan, &emission.schedule)
    for (index, run) in runs.enumerated() { emission.append(run.gradientsEnd, of: index) }
    emission.free(\.kept)
    emission.freeOthers()
    schedule = emission.schedule
    isUnrolled = unrolls
    weights = runs.flatMap(\.weights)
    passes = runs.map(\.times)
    host = HostCopies()
    spans = []
    work = Work()
    update = try UpdateWork(local, of: plan)
    let far = try plan.mesh.devices(times: plan.dataParallel)
    for (run, count) in zip(runs, counts) {
      var others = run.work
      others.scale(max(0, count - 1))
      work.add(run.firstWork)
      work.add(others)
      work.add(run.workOnce)
      overlaps.append(Overlap(work: run.firstWork, count: 1))
      if count > 1 { overlaps.append(Overlap(work: run.work, count: count - 1)) }
      overlaps.append(Overlap(work: run.workOnce, count: 1))
      func sends(_ bytes: Int) {
        work.traffic.add(.pointToPoint, payload: bytes, among: far, copies: count)
      }
      if !run.chunk.part.hasHead, !run.chunk.sendsLocally { sends(run.times.sent) }
      if !run.chunk.receivesLocally { sends(run.received) }
    }
  }

  /// DeepSpeed's buffers: one to receive in, and slots that keep token ids, labels and the last stage's graphs.
  ///
  /// A stage has two slots, or as many as micro-batches in flight; the last output and its graph are the part's own.
  private static func resideBuffers(
    _ runs: [PartRun], _ counts: [Int], _ order: PipelineOrder, _ schedule: inout Schedule
  ) throws(PlanError) {
    let moment = Moment.received.rawValue
    for (run, count) in zip(runs, counts) {
      let part = run.chunk.part
      let slots = min(max(2, order.mostInFlight), count)
      let sent = part.hasHead ? 0 : run.times.sent
      schedule.allocate(max(run.received, sent), .communication, moment)
      for bytes in run.bytesOfInputs {
        let lists = (part.hasEmbedding ? slots : 0) + (part.hasHead ? slots : 0)
        schedule.allocate(bytes, count: lists, .other, Moment.batch.rawValue)
      }
      guard part.hasHead, slots > 1 else { continue }
      schedule.allocate(run.namedBytes, count: slots - 1, .activations, moment)
      schedule.allocate(run.received, count: 2 &* (slots - 1), .activations, moment)
    }
  }

  /// Token ids and labels of the whole batch, where the loop has them from the beginning.
  private static func batches(
    _ runs: [PartRun], _ counts: [Int], _ transport: PipelineTransport
  ) throws(PlanError) -> [Int] {
    guard transport.loadsWholeBatch else { return [] }
    var batches: [Int] = []
    for (run, count) in zip(runs, counts) {
      for _ in 0..<(run.chunk.part.hasEmbedding ? 1 : 0) + (run.chunk.part.hasHead ? 1 : 0) {
        for bytes in run.bytesOfInputs where bytes > 0 {
          batches.append(try checkedProduct(bytes, count))
        }
      }
    }
    return batches
  }
}

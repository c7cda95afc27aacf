/// ZeRO stages 1 and 2: each rank has all parameters, in one flat tensor, and updates its share of it.
///
/// A bucket is made when backward's first gradient arrives. Stage 2 copies every gradient there as it comes, frees it,
/// and reduces the bucket when the next one would not fit; stage 1 does so behind backward, in forward order. What a
/// rank owns is copied to one flat tensor, which takes whole every parameter that its share begins or ends in.
///
/// Source: `DeepSpeedZeroOptimizer` in `deepspeed/runtime/zero/stage_1_and_2.py`, DeepSpeed 0.19.8.
final class ZeroPartitionedStep: Distribution {
  private let settings: Zero
  private let microBatches: Int
  private let size: Int
  private let adam: ZeroAdam?
  /// Whether gradients wait for the last micro-batch of a pipeline's rank.
  private let isPipeline: Bool
  private var parameters: ZeroParameters
  private var flat = ZeroFlatGroup()

  private var isLast = true
  /// The buffers that gradients are copied to; two where their reduction overlaps with backward.
  private var buckets: [Int32] = []
  private var filled = 0
  /// Parameters in the bucket.
  private var waiting: [Int] = []
  /// Gradients that are not in a bucket, by parameter.
  private var gradients: [Int32] = []
  /// What the rank owns of the gradients of this micro-batch, and of those before.
  private var owned: Int32 = -1
  private var accumulated: Int32 = -1
  /// The loss as the engine scales it and reports it.
  private var scalars: Int32 = -1

  var walksEveryLayer: Bool { true }
  var lastMicroBatchDiffers: Bool {
    microBatches > 1 && (settings.partitioning == 1 || settings.optimizerOffload != nil)
  }

  init(_ settings: Zero, _ program: Program, _ plan: TrainingPlan) {
    self.settings = settings
    microBatches = plan.microBatches
    size = plan.context.dtype.size
    adam = plan.optimizer as? ZeroAdam
    isPipeline = plan.pipeline != nil
    parameters = ZeroParameters(program)
  }

  /// The rank's share in fp32, which the optimizer updates.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    flat = try ZeroFlatGroup(parameters.all, settings)
    gradients = Array(repeating: -1, count: parameters.all.count)
    return [try .flat(flat.share)]
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for parameter in parameters.all where !parameter.trainable {
      for bytes in parameter.tensors { tape.schedule.allocate(bytes, .parameters, moment) }
    }
    tape.schedule.allocate(try checkedProduct(flat.aligned, size), .parameters, moment)
    guard settings.optimizerOffload == nil else {
      // A place on the device for the gradient that is added to what the host has.
      tape.schedule.allocate(flat.largest * size, .communication, moment)
      return
    }
    tape.schedule.allocate(flat.share * 4, .optimizerState, moment)
    // The norm of the last step.
    tape.schedule.allocate(4, .other, moment)
  }

  func begin(isLast: Bool) {
    self.isLast = isLast
    parameters.begin()
  }

  func beforeForward(_ section: Int, in tape: inout Tape) { parameters.enter(section) }

  func beforeBackward(_ section: Int, in tape: inout Tape) {
    guard section == 0 else { return }
    scalars = tape.allocate(microBatches > 1 ? 4 : 8, .other, Moment.lossGradient.rawValue)
  }

  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    parameters.leave(section)
  }

  // MARK: Backward

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let parameter = parameters.index(of: leaf)
    makeBuckets(&tape)
    if gradients[parameter] >= 0 {
      // Autograd adds it to the `.grad` of the micro-batches before.
      tape.release(gradient, Moment.accumulation.rawValue)
    } else {
      gradients[parameter] = gradient
    }
    if settings.partitioning == 2 || settings.overlaps && isLast { put(parameter, &tape) }
  }

  private func makeBuckets(_ tape: inout Tape) {
    guard buckets.isEmpty else { return }
    for _ in 0..<(settings.overlaps ? 2 : 1) {
      buckets.append(
        tape.allocate(settings.reduceBucket * size, .communication, Moment.bucket.rawValue))
    }
  }

  /// Copies a gradient to the bucket; one that is larger stays what it is.
  private func put(_ parameter: Int, _ tape: inout Tape) {
    guard gradients[parameter] >= 0 else { return }
    let elements = parameters.all[parameter].elements
    if filled + elements > settings.reduceBucket { reduce(&tape) }
    if elements <= settings.reduceBucket {
      letGo(parameter, &tape)
    } else if settings.optimizerOffload != nil {
      // A copy keeps it apart from what autograd may still hold.
      let copy = tape.allocate(elements * size, .gradients, Moment.bucket.rawValue)
      letGo(parameter, &tape)
      gradients[parameter] = copy
    }
    filled += elements
    waiting.append(parameter)
  }

  private func letGo(_ parameter: Int, _ tape: inout Tape) {
    tape.release(gradients[parameter], Moment.bucket.rawValue)
    gradients[parameter] = -1
  }

  /// Averages what is in the bucket, and keeps what the rank owns.
  private func reduce(_ tape: inout Tape) {
    guard !waiting.isEmpty else { return }
    let moment = Moment.reduceScatter.rawValue
    if settings.scatters {
      for elements in flat.copies(waiting, upTo: settings.reduceBucket) {
        tape.release(
          tape.allocate(elements * size, .communication, moment, stream: settings.overlaps ? 1 : 0),
          moment)
      }
    }
    tape.communicate(.allReduce, filled * size, among: settings.shards)
    if settings.optimizerOffload != nil {
      leave(&tape)
    } else if owned < 0 {
      owned = tape.allocate(flat.owned * size, .gradients, moment)
    }
    for parameter in waiting
    where settings.partitioning == 2 || settings.optimizerOffload != nil
      || flat.isFirst(parameter)
    {
      letGo(parameter, &tape)
    }
    waiting.removeAll(keepingCapacity: true)
    filled = 0
  }

  /// What the rank owns goes to the host: its norm in fp64, then a copy in fp32.
  private func leave(_ tape: inout Tape) {
    guard isLast else { return }
    let moment = Moment.reduceScatter.rawValue
    for parameter in waiting {
      let elements = min(parameters.all[parameter].elements, flat.share)
      tape.release(tape.allocate(elements * 8, .other, moment), moment)
      guard size != 4 else { continue }
      tape.release(tape.allocate(elements * 4, .gradients, moment), moment)
    }
  }

  func endBackward(in tape: inout Tape) {
    let reducesNow = !isPipeline && (settings.partitioning == 2 || isLast)
    if reducesNow { reduceAll(&tape) }
    if accumulated >= 0 {
      tape.release(owned, Moment.accumulation.rawValue)
    } else if reducesNow {
      accumulated = owned
    }
    if reducesNow { owned = -1 }
    tape.release(scalars, Moment.end.rawValue)
    // The weights come back once the optimizer has stepped: nothing runs beside that.
    if isLast {
      tape.communicate(.allGather, flat.aligned * size, among: settings.shards, waits: true)
    }
  }

  private func reduceAll(_ tape: inout Tape) {
    if settings.partitioning == 1, !settings.overlaps {
      for parameter in flat.order { put(parameter, &tape) }
    }
    reduce(&tape)
    for parameter in gradients.indices where gradients[parameter] >= 0 {
      letGo(parameter, &tape)
    }
    for bucket in buckets { tape.release(bucket, Moment.bucket.rawValue) }
    buckets = []
  }

  /// `ReduceGrads` behind all micro-batches, with a bucket more than it uses (`reduce_gradients(pipeline_parallel=True)`).
  func endMicroBatches(in tape: inout Tape) {
    guard isPipeline else { return }
    buckets.append(
      tape.allocate(settings.reduceBucket * size, .communication, Moment.bucket.rawValue))
    reduceAll(&tape)
    (accumulated, owned) = (owned, -1)
    tape.communicate(.allGather, flat.aligned * size, among: settings.shards, waits: true)
  }

  // MARK: The step

  /// The norm in fp64, one tensor after the other; all gradients in one tensor, and that one in fp32.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    guard settings.optimizerOffload == nil else { return }
    let moment = Moment.optimizerStep.rawValue
    let norm = flat.largestSlice * 8
    schedule.allocate(norm, .other, Moment.clipping.rawValue)
    schedule.free(norm, .other, Moment.clipping.rawValue)
    let share = flat.share
    schedule.allocate(8, .other, moment)
    schedule.allocate(share * size, .gradients, moment)
    if size != 4 {
      schedule.allocate(share * 4, .gradients, moment)
      schedule.free(share * size, .gradients, moment)
    }
    if accumulated >= 0 {
      schedule.free(flat.owned * size, .gradients, moment, storage: accumulated)
    }
    let passing = adam?.passing(share * 4) ?? []
    for bytes in passing { schedule.allocate(bytes, .optimizerState, moment) }
    for bytes in passing { schedule.free(bytes, .optimizerState, moment) }
    schedule.free(share * 4, .gradients, moment)
    schedule.free(8, .other, moment)
  }

  // MARK: The host

  /// Weights and gradients in fp32, two states, the weights in 16 bits on their way back, and a place for the largest
  /// gradient; where micro-batches add up, a copy of each gradient that is owned.
  var hostShare: HostShare? {
    get throws(PlanError) {
      guard let offload = settings.optimizerOffload else { return nil }
      let share = flat.share
      func tensor(_ elements: Int, _ size: Int, _ role: Role, pins: Bool = true)
        throws(PlanError) -> HostTensor
      {
        HostTensor(
          try checkedProduct(elements, size), role, isPinned: pins && offload.isPinned)
      }
      var host = HostShare()
      host.tensors = [
        try tensor(share, 4, .parameters), try tensor(share, 4, .gradients),
        try tensor(share, 4, .optimizerState, pins: false),
        try tensor(share, 4, .optimizerState, pins: false),
        try tensor(share, size, .parameters), try tensor(flat.largest, size, .gradients),
      ]
      if microBatches > 1 {
        // As if in one block: the blocks of many pinned ones are less than twice as large.
        host.tensors.append(
          try tensor(offload.isPinned ? 2 * flat.owned : flat.owned, size, .gradients, pins: false))
      }
      host.moved = OptimizerTransfers(
        toHost: try checkedProduct(share, 4), toDevice: try checkedProduct(share, size),
        updatedOnHost: share)
      return host
    }
  }
}

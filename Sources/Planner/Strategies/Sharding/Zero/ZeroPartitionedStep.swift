/// ZeRO stages 1 and 2: each rank has all parameters, in one flat tensor, and updates its share of it.
///
/// A bucket is made when backward's first gradient arrives. Stage 2 copies every gradient there as it comes, frees it,
/// and reduces the bucket when the next one would not fit; stage 1 does so behind backward, in forward order. What a
/// rank owns is copied to one flat tensor, which takes whole every parameter that its share begins or ends in. Where
/// micro-batches add up in fp32, it is added to a flat tensor of just the share instead.
///
/// Stage 1 keeps each gradient in fp32 meanwhile, and what other ranks own of them until the next forward.
///
/// Source: `DeepSpeedZeroOptimizer` in `deepspeed/runtime/zero/stage_1_and_2.py`, DeepSpeed 0.19.8.
final class ZeroPartitionedStep: Distribution {
  private let settings: Zero
  private let microBatches: Int
  private let size: Int
  private let formats: ZeroFormats
  /// Of a gradient from its arrival to its reduction: stage 1 adds micro-batches up in this format.
  private let heldFormat: DType
  private let optimizer: ZeroOptimizer?
  private let kernels: KernelTraits
  /// Whether gradients wait for the last micro-batch of a pipeline's rank.
  private let isPipeline: Bool
  private var parameters: ZeroParameters
  private var flat = ZeroFlatGroup()

  private var isLast = true
  /// Gradients that are reduced together.
  private struct Bucket {
    let format: DType
    var filled = 0
    var waiting: [Int] = []
  }
  /// A bucket for each format that gradients are exchanged in.
  private var buckets: [Bucket] = []
  /// For each parameter, its bucket.
  private var bucketOf: [Int] = []
  /// The buffers that gradients are copied to; two for a bucket where reduction overlaps with backward.
  private var buffers: [Int32] = []
  /// Gradients that are not in a bucket, by parameter.
  private var gradients: [Int32] = []
  /// What the rank owns of the gradients of this micro-batch, and of those before.
  private var owned: Int32 = -1
  private var accumulated: Int32 = -1
  /// What stays until the next forward, with its bytes.
  private var lingering: [(storage: Int32, bytes: Int)] = []
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
    formats = ZeroFormats(settings, plan)
    heldFormat = settings.partitioning == 1 ? formats.accumulation : formats.model
    optimizer = plan.optimizer as? ZeroOptimizer
    kernels = plan.context.kernels
    isPipeline = plan.pipeline != nil
    parameters = ZeroParameters(program)
  }

  /// The rank's share of the master weights, which the optimizer updates.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    flat = try ZeroFlatGroup(parameters.all, settings)
    gradients = Array(repeating: -1, count: parameters.all.count)
    let exchanged = formats.exchanged(parameters.all)
    buckets = exchanged.map { Bucket(format: $0) }
    bucketOf = parameters.all.map { exchanged.firstIndex(of: formats.exchange($0)) ?? 0 }
    return [try .flat(flat.share, formats.master)]
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
    tape.schedule.allocate(flat.share * formats.master.size, .optimizerState, moment)
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
    makeBuffers(&tape)
    let gradient = widened(gradient, of: parameter, &tape)
    if gradients[parameter] >= 0 {
      // Autograd adds it to the `.grad` of the micro-batches before.
      tape.release(gradient, Moment.accumulation.rawValue)
    } else {
      gradients[parameter] = gradient
    }
    if settings.partitioning == 2 || settings.overlaps && isLast { put(parameter, &tape) }
  }

  /// A gradient in the format that it is held in (`_fill_param_grad_accum_attribute`).
  private func widened(_ gradient: Int32, of parameter: Int, _ tape: inout Tape) -> Int32 {
    guard heldFormat != formats.model else { return gradient }
    let moment = Moment.accumulation.rawValue
    let bytes = parameters.all[parameter].elements * heldFormat.size
    let copy = tape.allocate(bytes, .gradients, moment)
    tape.release(gradient, moment)
    return copy
  }

  private func makeBuffers(_ tape: inout Tape) {
    guard buffers.isEmpty else { return }
    for _ in 0..<(settings.overlaps ? 2 : 1) * buckets.count {
      buffers.append(
        tape.allocate(
          settings.reduceBucket * heldFormat.size, .communication, Moment.bucket.rawValue))
    }
  }

  /// Copies a gradient to the bucket; one that is larger stays what it is.
  private func put(_ parameter: Int, _ tape: inout Tape) {
    guard gradients[parameter] >= 0 else { return }
    let elements = parameters.all[parameter].elements
    let bucket = bucketOf[parameter]
    if buckets[bucket].filled + elements > settings.reduceBucket { reduce(bucket, &tape) }
    if elements <= settings.reduceBucket {
      letGo(parameter, &tape)
    } else if settings.optimizerOffload != nil {
      // A copy keeps it apart from what autograd may still hold.
      let copy = tape.allocate(elements * heldFormat.size, .gradients, Moment.bucket.rawValue)
      letGo(parameter, &tape)
      gradients[parameter] = copy
    }
    buckets[bucket].filled += elements
    buckets[bucket].waiting.append(parameter)
  }

  private func letGo(_ parameter: Int, _ tape: inout Tape) {
    tape.release(gradients[parameter], Moment.bucket.rawValue)
    gradients[parameter] = -1
  }

  /// Averages what is in a bucket, and keeps what the rank owns.
  private func reduce(_ number: Int, _ tape: inout Tape) {
    let bucket = buckets[number]
    guard !bucket.waiting.isEmpty else { return }
    let moment = Moment.reduceScatter.rawValue
    if formats.accumulatesWider { addTo(&tape) }
    if settings.scatters {
      reduceInSlices(bucket, &tape)
    } else {
      reduceWhole(bucket, &tape)
    }
    tape.communicate(.allReduce, bucket.filled * bucket.format.size, among: settings.shards)
    if settings.optimizerOffload != nil {
      leave(bucket.waiting, &tape)
    } else if owned < 0, !formats.accumulatesWider {
      owned = tape.allocate(flat.owned * size, .gradients, moment)
    }
    for parameter in bucket.waiting where isDone(parameter) { letGo(parameter, &tape) }
    buckets[number].waiting.removeAll(keepingCapacity: true)
    buckets[number].filled = 0
  }

  /// Whether a gradient is let go of once it was reduced.
  private func isDone(_ parameter: Int) -> Bool {
    if heldFormat != formats.model { return flat.isFirst(parameter) }
    if settings.optimizerOffload != nil { return true }
    if settings.partitioning == 1 { return flat.isFirst(parameter) }
    // What was added to the share stays where it is; in the bucket, for all that are not too large for it.
    return !formats.accumulatesWider || !flat.isLast(parameter)
  }

  /// The share that gradients add up in, made when the first of them is reduced.
  private func addTo(_ tape: inout Tape) {
    guard accumulated < 0 else { return }
    accumulated = tape.allocate(
      flat.share * formats.accumulation.size, .gradients, Moment.reduceScatter.rawValue)
  }

  /// The bucket is cast where it is exchanged in another format; what of it is this rank's is cast where it adds up wider.
  private func reduceWhole(_ bucket: Bucket, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let casts = bucket.format != heldFormat
    let cast =
      casts ? tape.allocate(bucket.filled * bucket.format.size, .communication, moment) : -1
    if formats.accumulatesWider {
      let largest = bucket.waiting.reduce(0) { max($0, parameters.all[$1].elements) }
      let bytes = min(largest, flat.share) * formats.accumulation.size
      tape.release(tape.allocate(bytes, .communication, moment), moment)
    }
    tape.release(cast, moment)
  }

  /// Slices of more than one piece are copied to one tensor, which is cast where it is exchanged in another format; what
  /// of it is this rank's is cast where it adds up wider.
  private func reduceInSlices(_ bucket: Bucket, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let stream: UInt8 = settings.overlaps ? 1 : 0
    let reductions = flat.reductions(
      bucket.waiting, upTo: settings.reduceBucket, apart: formats.accumulatesWider)
    for reduction in reductions {
      var sent =
        reduction.pieces > 1
        ? tape.allocate(
          reduction.elements * heldFormat.size, .communication, moment, stream: stream) : -1
      if bucket.format != heldFormat {
        let bytes = reduction.elements * bucket.format.size
        let cast = tape.allocate(bytes, .communication, moment, stream: stream)
        tape.release(sent, moment)
        sent = cast
      }
      if formats.accumulatesWider {
        tape.release(
          tape.allocate(reduction.largest * 4, .communication, moment, stream: stream), moment)
      }
      tape.release(sent, moment)
    }
  }

  /// What the rank owns goes to the host: its norm in fp64, then a copy in fp32.
  private func leave(_ waiting: [Int], _ tape: inout Tape) {
    guard isLast else { return }
    let moment = Moment.reduceScatter.rawValue
    let master = formats.master.size
    for parameter in waiting {
      let elements = min(parameters.all[parameter].elements, flat.share)
      tape.release(tape.allocate(elements * 8, .other, moment), moment)
      guard size != master, !formats.accumulatesWider else { continue }
      tape.release(tape.allocate(elements * master, .gradients, moment), moment)
    }
  }

  func endBackward(in tape: inout Tape) {
    let reducesNow = !isPipeline && (settings.partitioning == 2 || isLast)
    if reducesNow { reduceAll(&tape) }
    if formats.accumulatesWider {
      // It adds up where it is.
    } else if accumulated >= 0 {
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
    for bucket in buckets.indices { reduce(bucket, &tape) }
    if heldFormat != formats.model { return keepUntilForward() }
    for parameter in gradients.indices where gradients[parameter] >= 0 {
      letGo(parameter, &tape)
    }
    for buffer in buffers { tape.release(buffer, Moment.bucket.rawValue) }
    buffers = []
  }

  /// What other ranks own stays until the next forward: views of the buckets, and gradients that are too large for them
  /// (`clear_backward_seen_flag`).
  private func keepUntilForward() {
    lingering = flat.order.compactMap { parameter in
      guard gradients[parameter] >= 0 else { return nil }
      return (gradients[parameter], parameters.all[parameter].elements * heldFormat.size)
    }
    for parameter in flat.order { gradients[parameter] = -1 }
    lingering += buffers.map { ($0, settings.reduceBucket * heldFormat.size) }
    buffers = []
  }

  /// `ReduceGrads` behind all micro-batches, with a bucket more than it uses (`reduce_gradients(pipeline_parallel=True)`).
  func endMicroBatches(in tape: inout Tape) {
    guard isPipeline else { return }
    buffers.append(
      tape.allocate(settings.reduceBucket * size, .communication, Moment.bucket.rawValue))
    reduceAll(&tape)
    (accumulated, owned) = (owned, -1)
    tape.communicate(.allGather, flat.aligned * size, among: settings.shards, waits: true)
  }

  // MARK: The step

  /// The norm in fp64, one tensor after the other; all gradients in one tensor, and that one in fp32.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    let moment = Moment.optimizerStep.rawValue
    guard settings.optimizerOffload == nil else {
      if accumulated >= 0 {
        schedule.free(
          flat.share * formats.accumulation.size, .gradients, moment, storage: accumulated)
      }
      return
    }
    let norm =
      flat.largestSlice * 8
      + TotalNorm.workspace(elements: flat.largestSlice, size: 8, on: kernels)
    schedule.allocate(norm, .other, Moment.clipping.rawValue)
    schedule.free(norm, .other, Moment.clipping.rawValue)
    let share = flat.share
    schedule.allocate(8, .other, moment)
    guard !formats.accumulatesWider else {
      try optimizer?.update(try .flat(share, formats.master), kernels, in: &schedule)
      schedule.free(share * 4, .gradients, moment, storage: accumulated)
      return schedule.free(8, .other, moment)
    }
    schedule.allocate(share * size, .gradients, moment)
    let master = formats.master.size
    if size != master {
      schedule.allocate(share * master, .gradients, moment)
      schedule.free(share * size, .gradients, moment)
    }
    if accumulated >= 0 {
      schedule.free(flat.owned * size, .gradients, moment, storage: accumulated)
    }
    try optimizer?.update(try .flat(share, formats.master), kernels, in: &schedule)
    schedule.free(share * master, .gradients, moment)
    schedule.free(8, .other, moment)
  }

  func afterOptimizer(in schedule: inout Schedule) {
    for (storage, bytes) in lingering {
      schedule.free(bytes, .gradients, Moment.end.rawValue, storage: storage)
    }
  }

  // MARK: The host

  /// Weights, gradients and states as the optimizer has them, the weights as the model has them on their way back, and
  /// a place for the largest gradient; where micro-batches add up, a copy of each gradient that is owned.
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
      let master = formats.master.size
      host.tensors = [
        try tensor(share, master, .parameters), try tensor(share, master, .gradients),
      ]
      for _ in 0..<(optimizer?.statesOnHost ?? 2) {
        host.tensors.append(
          try tensor(share, formats.hostStates.size, .optimizerState, pins: false))
      }
      host.tensors += [
        try tensor(share, size, .parameters), try tensor(flat.largest, size, .gradients),
      ]
      // Gradients in bf16 add up where the optimizer has them.
      if microBatches > 1, !settings.lowPrecisionMaster, !formats.accumulatesWider {
        // As if in one block: the blocks of many pinned ones are less than twice as large.
        host.tensors.append(
          try tensor(offload.isPinned ? 2 * flat.owned : flat.owned, size, .gradients, pins: false))
      }
      host.moved = OptimizerTransfers(
        toHost: try checkedProduct(share, master), toDevice: try checkedProduct(share, size),
        updatedOnHost: share)
      return host
    }
  }
}

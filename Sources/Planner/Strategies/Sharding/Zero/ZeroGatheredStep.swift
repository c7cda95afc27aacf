/// ZeRO stage 3: each rank has a share of every parameter, of its gradient and of its optimizer states.
///
/// Modules gather their parameters as ``ZeroGather`` says. Gradients are copied to a bucket that is always there; where
/// the next one would not fit, they are laid out rank after rank in a copy of the bucket, reduced there, and this
/// rank's part is added to a flat tensor of all gradients' shares.
///
/// Source: `DeepSpeedZeroOptimizer_Stage3` in `deepspeed/runtime/zero/stage3.py`, `reduce_scatter_coalesced` in
/// `deepspeed/runtime/comm/coalesced_collectives.py`, DeepSpeed 0.19.8.
final class ZeroGatheredStep: Distribution {
  private let settings: Zero
  private let size: Int
  /// Bytes of an element while it is reduced.
  private let reducedSize: Int
  private let adam: ZeroAdam?
  private var uses: ZeroUses
  private let leftover: [Int]
  private var late: [(storage: Int32, bytes: Int)] = []
  private let trace: ZeroTrace
  private let replays: Bool
  private var parameters: ZeroParameters
  private var gather: ZeroGather
  /// Elements of this rank's share of the parameters that are updated together.
  private var subGroups: [Int] = []
  /// Whether a sub-group has more than one parameter.
  private var isJoined: [Bool] = []

  private let microBatches: Int
  private var isLast = true
  /// ``ZeroGather/slack``.
  private var early: Int32 = -1
  /// The loss as the engine scales it and reports it.
  private var scalars: Int32 = -1
  private var filled = 0
  private var waiting: [Int] = []
  /// Gradients that the bucket is too small for, by parameter.
  private var gradients: [Int32] = []

  var walksEveryLayer: Bool { true }
  var followsOperations: Bool { true }
  var lastMicroBatchDiffers: Bool { microBatches > 1 }

  init(_ settings: Zero, _ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError) {
    self.settings = settings
    size = plan.context.dtype.size
    reducedSize = Zero.reducedSize(plan)
    adam = plan.optimizer as? ZeroAdam
    uses = ZeroUses(graph.program)
    leftover = plan.leftover(graph.program)
    parameters = ZeroParameters(graph.program)
    microBatches = plan.microBatches
    replays = plan.replays(graph)
    trace = try ZeroTrace.recorded(graph, plan)
    gather = ZeroGather(settings, ZeroTrace(), [])
  }

  /// This rank's shares in fp32, sub-group after sub-group.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    try parameters.checkTotal()
    gather = ZeroGather(settings, trace, parameters.all)
    gradients = Array(repeating: -1, count: parameters.all.count)
    var (elements, count) = (0, 0)
    func close() {
      if count > 0 {
        subGroups.append(elements)
        isJoined.append(count > 1)
      }
      (elements, count) = (0, 0)
    }
    for parameter in parameters.all where parameter.trainable {
      elements += share(parameter)
      count += 1
      if elements >= settings.subGroup { close() }
    }
    close()
    var local: [TrainingStep.Weight] = []
    for elements in subGroups { local.append(try .flat(elements)) }
    return local
  }

  // MARK: The host

  /// Weights, gradients and two states in fp32, the flat gradients in the model's format, and the shares themselves
  /// where parameters are offloaded; what is on disk has buffers for the largest sub-group, or for parameters.
  var hostShare: HostShare? {
    get throws(PlanError) {
      guard let offload = settings.optimizerOffload else { return nil }
      let trained = subGroups.reduce(0, &+)
      let largest = subGroups.max() ?? 0
      var host = HostShare()
      func add(_ elements: Int, _ size: Int, _ role: Role, pins: Bool) throws(PlanError) {
        host.tensors.append(
          HostTensor(try checkedProduct(elements, size), role, isPinned: pins))
      }
      if offload.device == .cpu {
        for elements in subGroups {
          try add(elements, 4, .parameters, pins: offload.isPinned)
          try add(elements, 4, .gradients, pins: offload.isPinned)
          for _ in 0..<2 { try add(elements, 4, .optimizerState, pins: false) }
        }
      } else {
        for _ in 0..<offload.buffers { try add(largest, 4, .optimizerState, pins: true) }
      }
      try add(trained, size, .gradients, pins: offload.isPinned)
      if let parameters = settings.parameterOffload {
        let shares = self.parameters.all.reduce(0) { $0 &+ share($1) }
        if parameters.device == .cpu {
          try add(shares, size, .parameters, pins: parameters.isPinned)
        } else {
          try add(min(shares, parameters.mostOnHost), size, .parameters, pins: parameters.isPinned)
          for _ in 0..<parameters.buffers {
            try add(parameters.bufferSize, size, .parameters, pins: true)
          }
        }
      }
      // Every micro-batch takes the shares to the device for forward and for backward.
      let shares = parameters.all.reduce(0) { $0 &+ share($1) }
      let taken = settings.parameterOffload == nil ? trained : shares
      let times = settings.parameterOffload == nil ? 1 : 2 * microBatches
      host.moved = OptimizerTransfers(
        toHost: try checkedProduct(trained, 4), toDevice: try checkedProduct(taken, size, times),
        updatedOnHost: trained)
      if offload.device == .nvme {
        // Weights, gradients and two states in fp32, each read and written once.
        host.fromDisk = try checkedProduct(trained, 16)
        host.toDisk = host.fromDisk
      }
      if settings.parameterOffload?.device == .nvme {
        let onDisk = max(0, shares - (settings.parameterOffload?.mostOnHost ?? 0))
        host.fromDisk += try checkedProduct(onDisk, size, times)
        host.toDisk += try checkedProduct(onDisk, size)
      }
      return host
    }
  }

  private func share(_ parameter: ZeroParameters.Parameter) -> Int {
    (parameter.elements + settings.shards - 1) / settings.shards
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    if settings.parameterOffload == nil {
      let shares = parameters.all.reduce(0) { $0 &+ share($1) &* $1.size }
      tape.schedule.allocate(shares, .parameters, moment)
    }
    for bytes in persistent { tape.schedule.allocate(bytes, .parameters, moment) }
    // The norm of the last step, and a flag.
    if settings.optimizerOffload == nil { tape.schedule.allocate(9, .other, moment) }
    if settings.contiguous {
      tape.schedule.allocate(
        try checkedProduct(settings.reduceBucket, reducedSize), .communication,
        Moment.bucket.rawValue)
    }
    guard settings.optimizerOffload == nil else { return }
    for elements in subGroups { tape.schedule.allocate(elements * 4, .optimizerState, moment) }
    let trained = subGroups.reduce(0, &+)
    tape.schedule.allocate(trained * size, .gradients, moment)
  }

  /// The bytes of each parameter that is small enough to stay whole.
  private var persistent: [Int] {
    parameters.all.indices.filter { gather.persists($0) }.map {
      let parameter = parameters.all[$0]
      return share(parameter) * settings.shards * parameter.size
    }
  }

  func begin(isLast: Bool) {
    self.isLast = isLast
    parameters.begin()
    gather.begin()
  }

  func beforeForward(_ section: Int, in tape: inout Tape) {
    parameters.enter(section)
    if section == 0, gather.slack > 0 {
      early = tape.allocate(gather.slack, .communication, Moment.allGather.rawValue)
    }
    for _ in 0..<ZeroTrace.containers(section) { gather.fetch([], &tape) }
  }

  func beforeBackward(_ section: Int, in tape: inout Tape) {
    if section == 0 {
      scalars = tape.allocate(microBatches > 1 ? 4 : 8, .other, Moment.lossGradient.rawValue)
    }
    for _ in 0..<ZeroTrace.containers(section, isReplayed: replays) { gather.fetch([], &tape) }
  }

  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    parameters.leave(section)
  }

  func beforeOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    gather.letGo(&tape)
    let used = used(by: operation)
    let enters = uses.enters(operation)
    if !used.isEmpty || enters { gather.fetch(used, &tape) }
  }

  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    let used = used(by: operation)
    if !used.isEmpty { gather.release(used, &tape) }
  }

  private func used(by operation: Int) -> [Int] {
    let leaves = uses.leaves[operation]
    return leaves.isEmpty ? [] : leaves.map { parameters.index(of: $0) }.sorted()
  }

  // MARK: Gradients

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let parameter = parameters.index(of: leaf)
    let elements = parameters.all[parameter].elements
    if filled + elements > settings.reduceBucket, filled > 0 { reduce(&tape) }
    if settings.contiguous, filled + elements <= settings.reduceBucket {
      gather.hold(gradient)
    } else {
      gradients[parameter] = gradient
    }
    filled += elements
    waiting.append(parameter)
  }

  /// Averages what is in the bucket, and adds this rank's share to what it has.
  private func reduce(_ tape: inout Tape) {
    guard !waiting.isEmpty else { return }
    let moment = Moment.reduceScatter.rawValue
    let stream: UInt8 = settings.overlaps ? 2 : 0
    let inPlace =
      settings.contiguous && filled <= settings.reduceBucket && !settings.scatters
    let fits = waiting.count == 1 && filled % settings.shards == 0
    var copies: [Int32] = []
    if reducedSize != size, !inPlace {
      // What is in the bucket has its format already.
      for parameter in waiting where gradients[parameter] >= 0 {
        let bytes = parameters.all[parameter].elements * reducedSize
        copies.append(tape.allocate(bytes, .communication, moment, stream: stream))
      }
    }
    if !inPlace, !fits {
      gather.letGo(&tape)
      var padded = 0
      for parameter in waiting { padded += share(parameters.all[parameter]) * settings.shards }
      let padding = (padded - filled) * reducedSize
      let empty = padding > 0 ? tape.allocate(padding, .communication, moment, stream: stream) : -1
      copies.append(
        tape.allocate(padded * reducedSize, .communication, moment, stream: stream))
      tape.release(empty, moment)
    }
    tape.communicate(
      inPlace ? .allReduce : .reduceScatter, filled * reducedSize, among: settings.shards)
    if reducedSize != size {
      for elements in inPlace ? [filled] : waiting.map({ share(parameters.all[$0]) }) {
        copies.append(tape.allocate(elements * size, .communication, moment, stream: stream))
      }
    }
    if settings.optimizerOffload != nil { leave(&tape) }
    for parameter in waiting {
      if gradients[parameter] >= 0 { gather.hold(gradients[parameter]) }
      gradients[parameter] = -1
    }
    for copy in copies { tape.release(copy, moment) }
    waiting.removeAll(keepingCapacity: true)
    filled = 0
  }

  /// Each share goes to the host: it is copied back for its norm in fp64, and cast to fp32.
  private func leave(_ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    for parameter in waiting {
      let elements = share(parameters.all[parameter])
      let copy = tape.allocate(elements * size, .gradients, moment)
      tape.release(tape.allocate(elements * 8, .other, moment), moment)
      tape.release(tape.allocate(elements * 4, .gradients, moment), moment)
      tape.release(copy, moment)
    }
  }

  func endBackward(in tape: inout Tape) {
    reduce(&tape)
    if !leftover.isEmpty { gather.fetch(leftover.map { parameters.index(of: $0) }, &tape) }
    let left = gather.end(&tape)
    if isLast {
      late = left
    } else {
      for (storage, _) in left { tape.release(storage, Moment.allGather.rawValue) }
    }
    tape.release(scalars, Moment.end.rawValue)
    tape.release(early, Moment.end.rawValue)
  }

  // MARK: The step

  /// All parameters are cut; the norm in fp64, one share after the other; then sub-group after sub-group.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    let moment = Moment.optimizerStep.rawValue
    for (storage, bytes) in late { schedule.free(bytes, .parameters, moment, storage: storage) }
    for bytes in persistent { schedule.free(bytes, .parameters, moment) }
    guard settings.optimizerOffload == nil else { return }
    let scalars = size == 4 ? 56 : 24
    schedule.allocate(scalars, .other, moment)
    let largest = parameters.all.reduce(0) { $1.trainable ? max($0, share($1)) : $0 }
    schedule.allocate(largest * 8, .other, Moment.clipping.rawValue)
    schedule.free(largest * 8, .other, Moment.clipping.rawValue)
    for (elements, isJoined) in zip(subGroups, isJoined) {
      let copies = isJoined && size != 4
      if copies { schedule.allocate(elements * size, .gradients, moment) }
      schedule.allocate(elements * 4, .gradients, moment)
      if copies { schedule.free(elements * size, .gradients, moment) }
      let passing = adam?.passing(elements * 4) ?? []
      for bytes in passing { schedule.allocate(bytes, .optimizerState, moment) }
      for bytes in passing { schedule.free(bytes, .optimizerState, moment) }
      schedule.free(elements * 4, .gradients, moment)
    }
    schedule.free(scalars, .other, moment)
  }

  /// Parameters that stay whole are gathered anew.
  func afterOptimizer(in schedule: inout Schedule) {
    for bytes in persistent { schedule.allocate(bytes, .parameters, Moment.allGather.rawValue) }
  }
}

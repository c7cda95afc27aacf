/// ZeRO stage 3: each rank has a share of every parameter, of its gradient and of its optimizer states.
///
/// Modules gather their parameters as ``ZeroGather`` says. Gradients are copied to a bucket that is always there; where
/// the next one would not fit, they are laid out rank after rank in a copy of the bucket, reduced there, and this
/// rank's part is added to a flat tensor of all gradients' shares.
///
/// Source: `DeepSpeedZeroOptimizer_Stage3` in `deepspeed/runtime/zero/stage3.py`, `reduce_scatter_coalesced` in
/// `deepspeed/runtime/comm/coalesced_collectives.py`, DeepSpeed 0.19.8.
final class ZeroGatheredStep: Distribution {
  let settings: Zero
  let size: Int
  let formats: ZeroFormats
  let optimizer: ZeroOptimizer?
  private let kernels: KernelTraits
  private var uses: ZeroUses
  private let leftover: [Int]
  /// Whether the first layer's adapters take what needs no gradient.
  private let startsConstant: Bool
  /// For each parameter: whether no gradient leaves its module, so that in backward nothing lets go of it before the step
  /// does (`PostBackwardFunctionModule` in `parameter_offload.py`, which inputs that need a gradient alone get).
  private var stays: [Bool] = []
  private var late: [(storage: Int32, bytes: Int, role: Role)] = []
  private let trace: ZeroTrace
  private let replays: Bool
  private(set) var parameters: ZeroParameters
  private var gather: ZeroGather
  /// Elements of this rank's share of the parameters that are updated together.
  private(set) var subGroups: [Int] = []
  /// Whether a sub-group has more than one parameter.
  private var isJoined: [Bool] = []

  let microBatches: Int
  private var isLast = true
  /// The loss as the engine scales it and reports it.
  private var scalars: Int32 = -1
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
  /// Gradients that the bucket is too small for, by parameter.
  private var gradients: [Int32] = []
  /// Gradients of the mixture that backward is in.
  private var mixture: [(parameter: Int, gradient: Int32)] = []

  var walksEveryLayer: Bool { true }
  var followsOperations: Bool { true }
  var lastMicroBatchDiffers: Bool { microBatches > 1 }

  init(_ settings: Zero, _ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError) {
    self.settings = settings
    size = plan.context.dtype.size
    formats = ZeroFormats(settings, plan)
    optimizer = plan.optimizer as? ZeroOptimizer
    kernels = plan.context.kernels
    uses = ZeroUses(graph.program, plan, settings)
    leftover = plan.leftover(graph.program)
    startsConstant = !plan.context.trainsBase && !plan.context.inputRequiresGradient
    parameters = ZeroParameters(graph.program)
    microBatches = plan.microBatches
    replays = plan.replays(graph)
    trace = try ZeroTrace.recorded(graph, plan, settings)
    gather = ZeroGather(settings, ZeroTrace(), [], formats)
  }

  /// This rank's shares of the master weights, sub-group after sub-group.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    try parameters.checkTotal()
    gather = ZeroGather(settings, trace, parameters.all, formats)
    gradients = Array(repeating: -1, count: parameters.all.count)
    stays = Array(repeating: false, count: parameters.all.count)
    let exchanged = formats.exchanged(parameters.all)
    buckets = exchanged.map { Bucket(format: $0) }
    bucketOf = parameters.all.map { exchanged.firstIndex(of: formats.exchange($0)) ?? 0 }
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
    for elements in subGroups { local.append(try .flat(elements, formats.master)) }
    return local
  }

  /// Elements of this rank's share of a parameter.
  func share(_ parameter: ZeroParameters.Parameter) -> Int {
    (parameter.elements + settings.shards - 1) / settings.shards
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    if settings.parameterOffload == nil {
      let shares = parameters.all.reduce(0) { $0 &+ share($1) &* $1.size }
      tape.schedule.allocate(shares, .parameters, moment)
    }
    for bytes in persistent { tape.schedule.allocate(bytes, .parameters, moment) }
    for bytes in parameters.all.lazy.flatMap({ $0.beside }) {
      tape.schedule.allocate(bytes, .parameters, moment)
    }
    // The norm of the last step, and a flag.
    if settings.optimizerOffload == nil { tape.schedule.allocate(9, .other, moment) }
    if settings.contiguous {
      for bucket in buckets {
        tape.schedule.allocate(
          try checkedProduct(settings.reduceBucket, bucket.format.size), .communication,
          Moment.bucket.rawValue)
      }
    }
    guard settings.optimizerOffload == nil else { return }
    for elements in subGroups {
      tape.schedule.allocate(elements * formats.master.size, .optimizerState, moment)
    }
    let trained = subGroups.reduce(0, &+)
    tape.schedule.allocate(trained * formats.accumulation.size, .gradients, moment)
  }

  /// The bytes of each parameter that is small enough to stay whole; one device has it whole in its share.
  private var persistent: [Int] {
    guard settings.shards > 1 || settings.parameterOffload != nil else { return [] }
    return parameters.all.indices.filter { gather.persists($0) }.map {
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
    let turn = uses.turn(to: operation, isBackward: isBackward)
    leave(turn, isBackward: isBackward, &tape)
    if let leaves = turn.fetched { gather.fetch(numbers(of: leaves), &tape) }
  }

  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    if let leaf = uses.viewed[operation] {
      let parameter = parameters.index(of: leaf)
      if isBackward {
        gather.forgetView(of: parameter, &tape)
      } else if tape.mode == .record || tape.mode == .replay {
        gather.keepView(of: parameter, &tape)
      }
    }
    if replays, uses.detached[operation] >= 0 {
      let parameter = parameters.index(of: uses.detached[operation])
      if isBackward {
        gather.forgetView(of: parameter, &tape)
      } else if tape.mode == .replay, tape.needed(operation) != 0 {
        gather.keepView(of: parameter, &tape)
      }
    }
    if let leaf = uses.kept[operation], !isBackward,
      tape.mode == .record || tape.mode == .checkpoint,
      tape.needed(operation) != 0
    {
      gather.keepView(of: parameters.index(of: leaf), &tape)
    }
    let weights = uses.weightInputs[operation]
    if startsConstant, !isBackward, weights != 0, tape.mode != .replay {
      let needed = tape.needed(operation)
      for parameter in numbers(of: uses.weights(of: operation)) {
        stays[parameter] = needed != 0 && needed & ~weights == 0
      }
    }
    leave(uses.leave(operation, isBackward: isBackward), isBackward: isBackward, &tape)
  }

  private func leave(_ turn: ZeroUses.Turn, isBackward: Bool, _ tape: inout Tape) {
    guard !turn.left.isEmpty else { return }
    if turn.leavesMixture { sortOutMixture(&tape) }
    let used = numbers(of: turn.left)
    gather.release(isBackward && startsConstant ? used.filter { !stays[$0] } : used, &tape)
  }

  private func numbers(of leaves: [Int]) -> [Int] {
    leaves.count == 1
      ? [parameters.index(of: leaves[0])] : leaves.map { parameters.index(of: $0) }.sorted()
  }

  // MARK: Gradients

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let parameter = parameters.index(of: leaf)
    // The node that made the gradient has let go of what it saved.
    if uses.isViewed(leaf) { gather.forgetView(of: parameter, &tape) }
    if uses.waits(leaf) { return mixture.append((parameter, gradient)) }
    put(gradient, of: parameter, &tape)
  }

  /// The gradients of a mixture go on once backward has left it.
  private func sortOutMixture(_ tape: inout Tape) {
    for (parameter, gradient) in mixture.sorted(by: { $0.parameter < $1.parameter }) {
      put(gradient, of: parameter, &tape)
    }
    mixture.removeAll(keepingCapacity: true)
  }

  private func put(_ gradient: Int32, of parameter: Int, _ tape: inout Tape) {
    let elements = parameters.all[parameter].elements
    let bucket = bucketOf[parameter]
    let filled = buckets[bucket].filled
    if filled + elements > settings.reduceBucket, filled > 0 { reduce(bucket, &tape) }
    if settings.contiguous, buckets[bucket].filled + elements <= settings.reduceBucket {
      gather.hold(gradient)
    } else {
      gradients[parameter] = gradient
    }
    buckets[bucket].filled += elements
    buckets[bucket].waiting.append(parameter)
  }

  /// Averages what is in a bucket, and adds this rank's share to what it has.
  private func reduce(_ number: Int, _ tape: inout Tape) {
    let (filled, waiting) = (buckets[number].filled, buckets[number].waiting)
    let format = buckets[number].format
    guard !waiting.isEmpty else { return }
    let moment = Moment.reduceScatter.rawValue
    let stream: UInt8 = settings.overlaps ? 2 : 0
    let inPlace =
      settings.contiguous && filled <= settings.reduceBucket && !settings.scatters
    let fits = waiting.count == 1 && filled % settings.shards == 0
    var copies: [Int32] = []
    if format != formats.model, !inPlace {
      // What is in the bucket has its format already.
      for parameter in waiting where gradients[parameter] >= 0 {
        let bytes = parameters.all[parameter].elements * format.size
        copies.append(tape.allocate(bytes, .communication, moment, stream: stream))
      }
    }
    if !inPlace, !fits {
      gather.letGo(&tape)
      var padded = 0
      for parameter in waiting { padded += share(parameters.all[parameter]) * settings.shards }
      let padding = (padded - filled) * format.size
      let empty = padding > 0 ? tape.allocate(padding, .communication, moment, stream: stream) : -1
      copies.append(
        tape.allocate(padded * format.size, .communication, moment, stream: stream))
      tape.release(empty, moment)
    }
    tape.communicate(
      inPlace ? .allReduce : .reduceScatter, filled * format.size, among: settings.shards)
    if format != formats.accumulation {
      // In the format that micro-batches add up in, all of them at once.
      for elements in inPlace ? [filled] : waiting.map({ share(parameters.all[$0]) }) {
        let bytes = elements * formats.accumulation.size
        copies.append(tape.allocate(bytes, .gradients, moment, stream: stream))
      }
    }
    if settings.optimizerOffload != nil { leave(waiting, &tape) }
    for parameter in waiting {
      if gradients[parameter] >= 0 { gather.hold(gradients[parameter]) }
      gradients[parameter] = -1
    }
    for copy in copies { tape.release(copy, moment) }
    buckets[number].waiting.removeAll(keepingCapacity: true)
    buckets[number].filled = 0
  }

  /// Each share goes to the host: it is copied back for its norm in fp64, and cast where the optimizer's format differs.
  private func leave(_ waiting: [Int], _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    for parameter in waiting {
      let elements = share(parameters.all[parameter])
      let copy = tape.allocate(elements * formats.accumulation.size, .gradients, moment)
      tape.release(tape.allocate(elements * 8, .other, moment), moment)
      if formats.accumulation != formats.master {
        tape.release(
          tape.allocate(elements * formats.master.size, .gradients, moment), moment)
      }
      tape.release(copy, moment)
    }
  }

  func endBackward(in tape: inout Tape) {
    sortOutMixture(&tape)
    for bucket in buckets.indices { reduce(bucket, &tape) }
    if !leftover.isEmpty { gather.fetch(leftover.map { parameters.index(of: $0) }, &tape) }
    let left = gather.end(&tape)
    if isLast, settings.overlaps {
      late = left
    } else {
      for (storage, _, _) in left { tape.release(storage, Moment.allGather.rawValue) }
    }
    tape.release(scalars, Moment.end.rawValue)
  }

  // MARK: The step

  /// All parameters are cut; the norm in fp64, one share after the other; then sub-group after sub-group.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    let moment = Moment.optimizerStep.rawValue
    for (storage, bytes, role) in late { schedule.free(bytes, role, moment, storage: storage) }
    for bytes in persistent { schedule.free(bytes, .parameters, moment) }
    guard settings.optimizerOffload == nil else { return }
    let (scalars, norms) = size == 4 ? (56, 0) : (24, 32)
    schedule.allocate(scalars, .other, moment)
    let largest = parameters.all.reduce(0) { $1.trainable ? max($0, share($1)) : $0 }
    let norm = norms + largest * 8 + TotalNorm.workspace(elements: largest, size: 8, on: kernels)
    schedule.allocate(norm, .other, Moment.clipping.rawValue)
    schedule.free(norm, .other, Moment.clipping.rawValue)
    for (elements, isJoined) in zip(subGroups, isJoined) {
      let gradient = elements * formats.accumulation.size
      let master = elements * formats.master.size
      let casts = formats.accumulation != formats.master
      if isJoined || !casts { schedule.allocate(gradient, .gradients, moment) }
      if casts {
        schedule.allocate(master, .gradients, moment)
        if isJoined { schedule.free(gradient, .gradients, moment) }
      }
      try optimizer?.update(try .flat(elements, formats.master), kernels, in: &schedule)
      schedule.free(master, .gradients, moment)
    }
    schedule.free(scalars, .other, moment)
  }

  /// Parameters that stay whole are gathered anew.
  func afterOptimizer(in schedule: inout Schedule) {
    for bytes in persistent { schedule.allocate(bytes, .parameters, Moment.allGather.rawValue) }
  }
}

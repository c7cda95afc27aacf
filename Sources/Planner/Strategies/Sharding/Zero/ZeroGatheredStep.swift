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
  /// Bytes of an element while it is reduced.
  private let reducedSize: Int
  let optimizer: ZeroOptimizer?
  private let kernels: KernelTraits
  private var uses: ZeroUses
  private let leftover: [Int]
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
  /// ``ZeroGather/slack``.
  private var early: Int32 = -1
  /// The loss as the engine scales it and reports it.
  private var scalars: Int32 = -1
  private var filled = 0
  private var waiting: [Int] = []
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
    reducedSize = (formats.reduction ?? formats.model).size
    optimizer = plan.optimizer as? ZeroOptimizer
    kernels = plan.context.kernels
    uses = ZeroUses(graph.program, plan, settings)
    leftover = plan.leftover(graph.program)
    parameters = ZeroParameters(graph.program)
    microBatches = plan.microBatches
    replays = plan.replays(graph)
    trace = try ZeroTrace.recorded(graph, plan, settings)
    gather = ZeroGather(settings, ZeroTrace(), [])
  }

  /// This rank's shares of the master weights, sub-group after sub-group.
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
      tape.schedule.allocate(
        try checkedProduct(settings.reduceBucket, reducedSize), .communication,
        Moment.bucket.rawValue)
    }
    guard settings.optimizerOffload == nil else { return }
    for elements in subGroups {
      tape.schedule.allocate(elements * formats.master.size, .optimizerState, moment)
    }
    let trained = subGroups.reduce(0, &+)
    tape.schedule.allocate(trained * formats.accumulation.size, .gradients, moment)
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
    let turn = uses.turn(to: operation, isBackward: isBackward)
    leave(turn, &tape)
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
    if let leaf = uses.kept[operation], !isBackward,
      tape.mode == .record || tape.mode == .checkpoint,
      tape.needed(operation) != 0
    {
      gather.keepView(of: parameters.index(of: leaf), &tape)
    }
    leave(uses.leave(operation, isBackward: isBackward), &tape)
  }

  private func leave(_ turn: ZeroUses.Turn, _ tape: inout Tape) {
    guard !turn.left.isEmpty else { return }
    if turn.leavesMixture { sortOutMixture(&tape) }
    gather.release(numbers(of: turn.left), &tape)
  }

  private func numbers(of leaves: [Int]) -> [Int] {
    leaves.count == 1
      ? [parameters.index(of: leaves[0])] : leaves.map { parameters.index(of: $0) }.sorted()
  }

  // MARK: Gradients

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let parameter = parameters.index(of: leaf)
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
    let wide = formats.accumulatesWider ? widened(&tape, stream) : -1
    if settings.optimizerOffload != nil { leave(&tape) }
    tape.release(wide, moment)
    for parameter in waiting {
      if gradients[parameter] >= 0 { gather.hold(gradients[parameter]) }
      gradients[parameter] = -1
    }
    for copy in copies { tape.release(copy, moment) }
    waiting.removeAll(keepingCapacity: true)
    filled = 0
  }

  /// This rank's shares in the format that micro-batches add up in, all of them at once.
  private func widened(_ tape: inout Tape, _ stream: UInt8) -> Int32 {
    let elements = waiting.reduce(0) { $0 &+ share(parameters.all[$1]) }
    return tape.allocate(
      elements * formats.accumulation.size, .gradients, Moment.reduceScatter.rawValue,
      stream: stream)
  }

  /// Each share goes to the host: it is copied back for its norm in fp64, and cast where the optimizer's format differs.
  private func leave(_ tape: inout Tape) {
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
    reduce(&tape)
    if !leftover.isEmpty { gather.fetch(leftover.map { parameters.index(of: $0) }, &tape) }
    let left = gather.end(&tape)
    if isLast {
      late = left
    } else {
      for (storage, _, _) in left { tape.release(storage, Moment.allGather.rawValue) }
    }
    tape.release(scalars, Moment.end.rawValue)
    tape.release(early, Moment.end.rawValue)
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

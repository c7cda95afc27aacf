/// Gathers parameters ahead of the modules that use them and lets go of them behind.
///
/// Parameters that are gathered together come into one buffer and are copied out of it when the first of them is
/// used; the buffer is freed when the last of them is. Weights that are packed in bytes have a buffer of their own,
/// freed with the other one. A parameter that is gathered alone has no copy.
///
/// Under autocast the parameters of linear layers are cast on their way, and back to their own format when they are used;
/// those of one format come together.
///
/// Source: `PartitionedParameterCoordinator` in `deepspeed/runtime/zero/partitioned_param_coordinator.py`,
/// `all_gather_coalesced` and `AllGatherCoalescedHandle` in `partition_parameters.py`, DeepSpeed 0.19.8.
struct ZeroGather {
  private let settings: Zero
  private let trace: ZeroTrace
  private let all: [ZeroParameters.Parameter]
  /// For each parameter: bytes of an element while it is gathered.
  private let gatheredSizes: [Int]
  /// All such sizes, in the order of their formats' names in torch: those of one format are gathered together.
  private static let order = [2, 4, 1]

  /// Parameters that were gathered together.
  private struct Group {
    var buffers: [Int32]
    var parameters: [Int]
    /// How many of them wait for their use.
    var unused: Int
    var isComplete = false
  }

  private var groups: [Group] = []
  /// For each parameter: what holds it whole, or -1.
  private var whole: [Int32]
  /// For each parameter: the group that it waits in, or -1.
  private var flight: [Int]
  /// For each parameter: the last use that it was fetched for.
  private var fetchedFor: [Int]
  /// What held each parameter when autograd took a view of it.
  private var views: [Int: Int32] = [:]
  /// The parameters of the trace one by one, with the number of their use.
  private let queue: [(parameter: Int, use: Int)]
  /// The uses of each parameter; of one of a leaf module, all that it is in.
  private let usesOf: [[Int]]
  /// For each parameter, whether a leaf module has it.
  private let isInLeaf: [Bool]
  /// What was let go of last.
  private var late: [Int32] = []
  private var next = 0
  private var step = 0
  /// Elements that are whole, or on their way.
  private var live = 0

  init(
    _ settings: Zero, _ trace: ZeroTrace, _ all: [ZeroParameters.Parameter], _ formats: ZeroFormats
  ) {
    self.settings = settings
    gatheredSizes = all.map { formats.gatheredSize($0) }
    self.trace = trace
    self.all = all
    whole = Array(repeating: -1, count: all.count)
    flight = Array(repeating: -1, count: all.count)
    fetchedFor = Array(repeating: -1, count: all.count)
    var queue: [(parameter: Int, use: Int)] = []
    var usesOf: [[Int]] = Array(repeating: [], count: all.count)
    var isInLeaf = Array(repeating: false, count: all.count)
    for leaves in trace.inside { for parameter in leaves { isInLeaf[parameter] = true } }
    for (use, parameters) in trace.uses.enumerated() {
      for parameter in parameters {
        queue.append((parameter, use))
        if !isInLeaf[parameter] { usesOf[parameter].append(use) }
      }
      for parameter in trace.inside[use] { usesOf[parameter].append(use) }
    }
    self.isInLeaf = isInLeaf
    (self.queue, self.usesOf) = (queue, usesOf)
  }

  /// Whether a parameter stays whole from step to step.
  func persists(_ parameter: Int) -> Bool { all[parameter].elements <= settings.persistence }

  /// A micro-batch begins.
  mutating func begin() {
    (next, step, live) = (0, 0, 0)
    for parameter in fetchedFor.indices { fetchedFor[parameter] = -1 }
  }

  /// A module is about to use parameters.
  mutating func fetch(_ parameters: [Int], _ tape: inout Tape) {
    gather(parameters, &tape)
    // A set in no certain order: its buffers are freed all at once, the most that they come to.
    var done: [Int32] = []
    for parameter in parameters { wait(parameter, &done, &tape) }
    for buffer in done { tape.release(buffer, Moment.allGather.rawValue) }
    for parameter in parameters where fetchedFor[parameter] < step && next < queue.count {
      fetchedFor[queue[next].parameter] = queue[next].use
      next += 1
    }
    step += 1
    prefetch(&tape)
  }

  /// Parameters of the modules to come are gathered ahead.
  private mutating func prefetch(_ tape: inout Tape) {
    guard settings.prefetchBucket > 0 else { return }
    let most = min(settings.maxLive - live, settings.prefetchBucket)
    var (ahead, elements) = ([Int](), 0)
    while next < queue.count, elements < most {
      let (parameter, use) = queue[next]
      next += 1
      fetchedFor[parameter] = max(fetchedFor[parameter], use)
      guard isAway(parameter), !ahead.contains(parameter) else { continue }
      ahead.append(parameter)
      elements += all[parameter].elements
    }
    gather(ahead, &tape)
  }

  private func isAway(_ parameter: Int) -> Bool {
    whole[parameter] < 0 && flight[parameter] < 0 && !persists(parameter)
  }

  /// The share of each rank, rounded up.
  private func share(_ parameter: Int) -> Int {
    (all[parameter].elements + settings.shards - 1) / settings.shards
  }

  private mutating func gather(_ parameters: [Int], _ tape: inout Tape) {
    let moment = Moment.allGather.rawValue
    let away = parameters.filter { isAway($0) }
    guard !away.isEmpty else { return }
    guard settings.shards > 1 else { return take(away, &tape) }
    for parameter in away {
      live += all[parameter].elements
      flight[parameter] = groups.count
    }
    let isAlone = away.count == 1
    let role: Role =
      isAlone && gatheredSizes[away[0]] == all[away[0]].size ? .parameters : .communication
    var buffers: [Int32] = []
    for size in Self.order {
      var bytes = 0
      var copies: [Int32] = []
      for parameter in away where gatheredSizes[parameter] == size {
        bytes += share(parameter) * settings.shards * size
        if let copy = copyShare(parameter, &tape) { copies.append(copy) }
      }
      guard bytes > 0 else { continue }
      buffers.append(tape.allocate(bytes, role, moment, stream: settings.overlaps ? 1 : 0))
      for copy in copies { tape.release(copy, moment) }
      tape.communicate(.allGather, bytes, among: settings.shards)
    }
    groups.append(Group(buffers: buffers, parameters: away, unused: away.count))
  }

  /// One device has every parameter whole: it is its share, or a copy of what the host has.
  private mutating func take(_ parameters: [Int], _ tape: inout Tape) {
    for parameter in parameters {
      live += all[parameter].elements
      flight[parameter] = groups.count
      let bytes = all[parameter].elements * all[parameter].size
      let copies = settings.parameterOffload != nil
      groups.append(
        Group(
          buffers: copies
            ? [tape.allocate(bytes, .parameters, Moment.allGather.rawValue, stream: 1)] : [],
          parameters: [parameter], unused: 1))
    }
  }

  /// The rank's share as it is sent, where it is cast or comes from the host.
  private func copyShare(_ parameter: Int, _ tape: inout Tape) -> Int32? {
    let moment = Moment.allGather.rawValue
    let (own, sent) = (all[parameter].size, gatheredSizes[parameter])
    let stream: UInt8 = settings.overlaps ? 1 : 0
    let copy =
      settings.parameterOffload == nil
      ? nil : tape.allocate(share(parameter) * own, .communication, moment, stream: 1)
    guard sent != own else { return copy }
    let cast = tape.allocate(share(parameter) * sent, .communication, moment, stream: stream)
    if let copy { tape.release(copy, moment) }
    return cast
  }

  /// The module needs the parameter now.
  ///
  /// - Parameter done: Buffers that nothing waits in any more.
  private mutating func wait(_ parameter: Int, _ done: inout [Int32], _ tape: inout Tape) {
    let group = flight[parameter]
    guard group >= 0 else { return }
    let moment = Moment.allGather.rawValue
    flight[parameter] = -1
    if groups[group].parameters.count == 1 {
      whole[parameter] = groups[group].buffers.first ?? -1
      guard gatheredSizes[parameter] != all[parameter].size, settings.shards > 1 else { return }
      whole[parameter] = tape.allocate(
        all[parameter].elements * all[parameter].size, .parameters, moment)
      done += groups[group].buffers
      return
    }
    if !groups[group].isComplete {
      groups[group].isComplete = true
      for size in Self.order {
        for member in groups[group].parameters where gatheredSizes[member] == size {
          makeWhole(member, &tape)
        }
      }
    }
    groups[group].unused -= 1
    if groups[group].unused == 0 { done += groups[group].buffers }
  }

  /// A parameter is put together out of a buffer of several, and cast back where it was cast on its way.
  private mutating func makeWhole(_ parameter: Int, _ tape: inout Tape) {
    let moment = Moment.allGather.rawValue
    let (elements, sent) = (all[parameter].elements, gatheredSizes[parameter])
    let isCast = sent != all[parameter].size
    let parts = isCast ? tape.allocate(elements * sent, .communication, moment) : -1
    whole[parameter] = tape.allocate(elements * all[parameter].size, .parameters, moment)
    tape.release(parts, moment)
  }

  /// The module has used parameters.
  mutating func release(_ parameters: [Int], _ tape: inout Tape) {
    for parameter in parameters where !persists(parameter) && whole[parameter] >= 0 {
      if fetchedFor[parameter] > step || isUsedSoon(parameter) { continue }
      late.append(whole[parameter])
      whole[parameter] = -1
      live -= all[parameter].elements
    }
  }

  /// Autograd keeps a view of a parameter as it is now.
  mutating func keepView(of parameter: Int, _ tape: inout Tape) {
    guard whole[parameter] >= 0, views[parameter] == nil else { return }
    tape.retain(whole[parameter])
    views[parameter] = whole[parameter]
  }

  /// Autograd lets go of its view.
  mutating func forgetView(of parameter: Int, _ tape: inout Tape) {
    guard let view = views.removeValue(forKey: parameter) else { return }
    tape.release(view, Moment.allGather.rawValue)
  }

  /// What modules let go of is free once something else is allocated: another stream may have used it.
  mutating func letGo(_ tape: inout Tape) {
    for storage in late { tape.release(storage, Moment.allGather.rawValue) }
    late.removeAll(keepingCapacity: true)
  }

  /// Whether the parameter is used again within the reuse distance.
  private func isUsedSoon(_ parameter: Int) -> Bool {
    let uses = usesOf[parameter]
    guard let use = uses.first(where: { $0 >= step }) else { return false }
    let touched = isInLeaf[parameter] ? trace.touchedInside : trace.touched
    return touched[use] &- touched[min(step, touched.count - 1)] < settings.maxReuse
  }

  /// As ``release(_:_:)`` does with a parameter: a gradient that was copied.
  mutating func hold(_ gradient: Int32) { late.append(gradient) }

  /// Backward is over: what is left, and views that nodes have, goes; where another stream gathered it, it is free once the
  /// optimizer allocates.
  ///
  /// - Returns: What is left, with its bytes and its role: parameters, and gradients that were copied.
  mutating func end(_ tape: inout Tape) -> [(storage: Int32, bytes: Int, role: Role)] {
    for parameter in whole.indices where whole[parameter] >= 0 {
      late.append(whole[parameter])
      whole[parameter] = -1
    }
    for (_, view) in views.sorted(by: { $0.key < $1.key }) {
      if late.contains(view) {
        tape.release(view, Moment.allGather.rawValue)
      } else {
        late.append(view)
      }
    }
    views.removeAll(keepingCapacity: true)
    groups.removeAll(keepingCapacity: true)
    defer { late.removeAll(keepingCapacity: true) }
    return late.map { storage in
      (storage, tape.storages[Int(storage)].bytes, tape.storages[Int(storage)].role)
    }
  }
}

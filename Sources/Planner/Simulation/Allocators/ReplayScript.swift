/// What the allocator is asked to do from an empty device to the end of the second step.
///
/// The first step differs from all later ones: weights have just been loaded, libraries take their workspaces when
/// they are first used, and the optimizer makes its states among the gradients. Where these end up decides how much
/// of the device later steps can use whole. From the second step on the same happens again and again.
struct ReplayScript: Sendable {
  /// One call of the allocator.
  struct Command: Sendable {
    enum Kind: UInt8, Sendable {
      /// `bytes` are allocated and put into a slot.
      case allocate
      /// What a slot holds is freed.
      case free
      /// A phase begins; the slot is its number.
      case phase
      /// All that is free goes back to the driver.
      case emptyCache
      /// The host waits as ``HostRunAhead`` says.
      case hostWait
      /// What is in the slot has been used.
      case hostMark
    }

    /// The stream of what the allocator has in place already: memory that is freed later than its tensors.
    static let inPlace = UInt8.max

    var bytes = 0
    var slot: Int32 = 0
    var kind: Kind
    /// The stream that it is allocated on, or ``inPlace``; of a release, one more than the stream that may still read it.
    var stream: UInt8 = 0
    /// What is allocated.
    var role = Role.other
    /// The schedule's event that it comes from, or -1.
    var event: Int32 = -1
  }

  /// Loading the model.
  private(set) var loading: ContiguousArray<Command> = []
  /// The first step.
  private(set) var first: ContiguousArray<Command> = []
  /// The second step.
  private(set) var second: ContiguousArray<Command> = []
  /// How many slots there are.
  private(set) var slots = 0
  /// Whether other streams may still read what is freed.
  private(set) var hasReaders = false

  /// Micro-batches after the first one that are replayed; the others repeat the last of them.
  private let repetitions: Int

  /// What the optimizer keeps for each weight, as it is made.
  private struct States {
    /// Of all weights, in their order.
    var all: ContiguousArray<Int> = []
    /// Of each weight, where it is updated in backward.
    var ofWeight: [ContiguousArray<Int>] = []
    /// Whether weights are updated in backward.
    var isInBackward: Bool { !ofWeight.isEmpty }
  }

  /// Libraries' workspaces, each with the first use that it waits for.
  private struct Workspaces {
    enum Use: UInt8 { case product, biasedProduct }
    var waiting: [(bytes: Int, use: Use, phase: Int32)] = []
  }

  /// Slots of tensors that carry no number of a storage, by size: the first one in is the first one out.
  private struct Unnamed {
    private var queues: [Int: (slots: ContiguousArray<Int32>, head: Int)] = [:]
    mutating func push(_ slot: Int32, _ bytes: Int) {
      queues[bytes, default: ([], 0)].slots.append(slot)
    }
    mutating func pop(_ bytes: Int) -> Int32? {
      guard let queue = queues[bytes], queue.head < queue.slots.count else { return nil }
      queues[bytes]?.head += 1
      return queue.slots[queue.head]
    }
    mutating func popNewest(_ bytes: Int) -> Int32? {
      guard let queue = queues[bytes], queue.head < queue.slots.count else { return nil }
      return queues[bytes]?.slots.removeLast()
    }
  }

  /// The event that is being written.
  private var current: Int32 = -1
  private var unnamed = Unnamed()
  private var lingering: Int32 = -1
  private var states = States()
  private var workspaces = Workspaces()

  /// Writes the script of a step whose layers all run on their own.
  init(_ schedule: Schedule, _ program: Program) {
    // An output that the loop holds goes from one micro-batch to the next, so the next one is not the same again.
    repetitions = program.heldOutput >= 0 ? 1 : 2
    var highest: Int32 = -1
    for event in schedule.events { highest = max(highest, event.storage) }
    slots = Int(highest) + 1
    var start = schedule.events.count
    for (index, event) in schedule.events.enumerated() where event.kind == .phase {
      start = index
      break
    }
    first.reserveCapacity(schedule.events.count)
    second.reserveCapacity(schedule.events.count)
    load(schedule.events[..<start])
    // Weights stay.
    unnamed = Unnamed()
    let uses = program.operations.map { Self.use(of: $0) }
    write(schedule.events[start...], uses)
  }

  // MARK: Loading

  private mutating func load(_ events: ContiguousArray<Event>.SubSequence) {
    var weight: Int?
    var releases = false
    for (index, event) in zip(events.indices, events) {
      current = Int32(truncatingIfNeeded: index)
      if event.kind == .update {
        let index = Int(event.count)
        while states.ofWeight.count <= index { states.ofWeight.append([]) }
        states.ofWeight[index].removeAll()
        weight = index
      }
      guard event.kind == .memory, event.bytes > 0 else { continue }
      for _ in 0..<max(0, Int(event.count)) {
        switch event.role {
        case .optimizerState:
          if let weight {
            states.ofWeight[weight].append(event.bytes)
          } else {
            states.all.append(event.bytes)
          }
        case .workspace: wait(for: event.bytes)
        default: allocate(event, in: \.loading)
        }
      }
      for _ in 0..<max(0, -Int(event.count)) {
        free(event, in: \.loading)
        releases = true
      }
    }
    if releases { loading.append(Command(kind: .emptyCache)) }
  }

  /// cuBLAS takes a workspace for each thread, cuBLASLt as well: the first of each size is the forward thread's.
  private mutating func wait(for bytes: Int) {
    let use: Workspaces.Use = bytes > AllocatorRules.small ? .product : .biasedProduct
    let phase = workspaces.waiting.contains { $0.use == use } ? Phase.backward : Phase.forward
    workspaces.waiting.append((bytes, use, Int32(phase.rawValue)))
  }

  /// The workspaces that an operation of the model needs, or `nil`.
  private static func use(of operation: Operation) -> Workspaces.Use? {
    switch "\(operation.name)" {
    case "addmm": .biasedProduct
    case "mm", "bmm", "baddbmm", "gemm_4bit", "parallel_linear": .product
    default: nil
    }
  }

  // MARK: Steps

  private mutating func write(
    _ events: ContiguousArray<Event>.SubSequence, _ uses: [Workspaces.Use?]
  ) {
    var phase: Int32 = -1
    var hasStates = false
    var repetition: (first: Int, second: Int, count: Int)?
    for (index, event) in zip(events.indices, events) {
      current = Int32(truncatingIfNeeded: index)
      switch event.kind {
      case .memory:
        if phase == Int32(Phase.optimizer.rawValue), !hasStates,
          event.operation != Moment.clipping.rawValue
        {
          makeStates(states.all)
          hasStates = true
        }
        for _ in 0..<max(0, Int(event.count)) where event.bytes > 0 { allocate(event) }
        for _ in 0..<max(0, -Int(event.count)) where event.bytes > 0 { free(event) }
        if !workspaces.waiting.isEmpty, event.count > 0, event.operation >= 0,
          Int(event.operation) < uses.count, let use = uses[Int(event.operation)]
        {
          takeWorkspaces(for: use, in: phase)
        }
      case .phase:
        if event.count != phase { takeWorkspaces(endOf: phase) }
        phase = event.count
        add(Command(slot: phase, kind: .phase, event: current))
      case .update:
        if Int(event.count) < states.ofWeight.count {
          makeStates(states.ofWeight[Int(event.count)])
        }
      case .repeatBegin:
        // What the first micro-batch took is not taken again with each of the others.
        takeWorkspaces(endOf: phase)
        repetition = (first.count, second.count, Int(event.count))
      case .repeatEnd:
        guard let begun = repetition else { break }
        for _ in 1..<max(1, min(begun.count, repetitions)) {
          first += first[begun.first...]
          second += second[begun.second...]
        }
        repetition = nil
      case .hostWait, .hostMark:
        hasReaders = true
        let kind: Command.Kind = event.kind == .hostWait ? .hostWait : .hostMark
        add(Command(slot: event.storage, kind: kind, event: current))
      case .layer, .outside: break
      }
    }
    if !hasStates { makeStates(states.all) }
  }

  /// The optimizer makes states, in the first step alone; they stay.
  private mutating func makeStates(_ states: ContiguousArray<Int>) {
    for bytes in states where bytes > 0 { make(bytes, .optimizerState, in: \.first) }
  }

  private mutating func takeWorkspaces(for use: Workspaces.Use, in phase: Int32) {
    let waiting = workspaces.waiting
    workspaces.waiting.removeAll()
    for workspace in waiting {
      if workspace.phase == phase, workspace.use == .product || use == .biasedProduct {
        make(workspace.bytes, .workspace, in: \.first)
      } else {
        workspaces.waiting.append(workspace)
      }
    }
  }

  /// After a backward pass every workspace was taken.
  private mutating func takeWorkspaces(endOf phase: Int32) {
    guard phase == Int32(Phase.backward.rawValue) else { return }
    for workspace in workspaces.waiting { make(workspace.bytes, .workspace, in: \.first) }
    workspaces.waiting.removeAll()
  }

  // MARK: Commands

  /// Memory that nothing frees.
  private mutating func make(
    _ bytes: Int, _ role: Role, in part: WritableKeyPath<Self, ContiguousArray<Command>>
  ) {
    self[keyPath: part].append(
      Command(bytes: bytes, slot: newSlot(), kind: .allocate, role: role))
  }

  private mutating func newSlot() -> Int32 {
    slots += 1
    return Int32(truncatingIfNeeded: slots - 1)
  }

  private mutating func slot(of event: Event) -> Int32 {
    if event.storage >= 0 { return event.storage }
    let slot = newSlot()
    if event.storage == Event.lingering { lingering = slot }
    if event.storage == Event.unnamed { unnamed.push(slot, event.bytes) }
    return slot
  }

  /// What a release frees, or `nil` where nothing is left of its size.
  private mutating func slot(freedBy event: Event) -> Int32? {
    if event.storage >= 0 { return event.storage }
    if event.storage == Event.lingering { return lingering }
    return event.storage == Event.newest
      ? unnamed.popNewest(event.bytes) : unnamed.pop(event.bytes)
  }

  private mutating func allocate(
    _ event: Event, in part: WritableKeyPath<Self, ContiguousArray<Command>>
  ) {
    let slot = slot(of: event)
    self[keyPath: part].append(
      Command(
        bytes: event.bytes, slot: slot, kind: .allocate, stream: event.stream, role: event.role,
        event: current))
  }

  private mutating func free(
    _ event: Event, in part: WritableKeyPath<Self, ContiguousArray<Command>>
  ) {
    guard let slot = slot(freedBy: event) else { return }
    self[keyPath: part].append(Command(slot: slot, kind: .free, event: current))
  }

  /// A command of both steps.
  private mutating func add(_ command: Command) {
    first.append(command)
    second.append(command)
  }

  private mutating func allocate(_ event: Event) {
    add(
      Command(
        bytes: event.bytes, slot: slot(of: event), kind: .allocate,
        stream: event.storage == Event.lingering ? Command.inPlace : event.stream,
        role: event.role, event: current))
  }

  private mutating func free(_ event: Event) {
    guard let slot = slot(freedBy: event) else { return }
    if event.role == .parameters, event.storage >= 0,
      event.operation == Moment.optimizerStep.rawValue
    {
      return move(slot)
    }
    let stream = event.storage == Event.lingering ? Command.inPlace : event.stream
    add(Command(slot: slot, kind: .free, stream: stream, event: current))
  }

  /// A weight leaves its slot for the next one; the second step moves it back.
  private mutating func move(_ slot: Int32) {
    first.append(Command(slot: slot, kind: .free, event: current))
    if let copy = second.lastIndex(where: { $0.kind == .allocate && $0.slot == slot + 1 }) {
      second[copy].slot = slot
    }
    second.append(Command(slot: slot + 1, kind: .free, event: current))
  }
}

/// What the caching allocator holds in each phase, and whether the device has it: two steps replayed.
///
/// Between equal free blocks the lowest address decides, and a driver gives no promise about addresses. So a run
/// that comes near the limit is replayed with several orders of addresses, and fits if it survives all of them.
package struct ReservedMemory: Sendable {
  /// How much is wanted.
  package enum Effort: Sendable {
    /// Every figure, whether it fits or not.
    case report
    /// The figures only if it fits.
    case verdict
    /// Whether the ascending order of addresses fits, for what looks for a place to ask more of.
    case quick
    /// No replay: the tensors alone, for what asks for nothing else.
    case tensors
  }

  /// Each phase of the second step, with ascending addresses.
  private(set) var phases: [AllocatorReplay.PhasePeak] = []
  /// The most and the least that an order of addresses held, of those that were replayed.
  private(set) var highest = 0
  private(set) var lowest = 0
  /// The largest block that is free after the second step.
  private(set) var largestFreeBlock = 0
  /// The least that any layout needs: the tensors that are live together, rounded to blocks.
  let ideal: Int
  /// Whether every order survives.
  private(set) var fits = false
  /// How often the allocator gave its cache back to go on.
  private(set) var retries = 0
  /// The orders that were replayed.
  private(set) var orders = 0
  /// Whether the host was also taken to be ahead of the streams.
  private(set) var runsAhead = false
  /// Layers that were replayed, where not all were.
  private(set) var layers: Int?

  /// The orders of addresses beside the ascending one.
  private static let otherOrders: [DeviceMemory.AddressOrder] = [
    .descending, .shuffled(1), .shuffled(2), .shuffled(3), .shuffled(4),
  ]
  /// Events of one step that are replayed one by one: 126 layers of Llama 3.1 405B have 60,000.
  private static let mostEvents = 400_000
  /// Nothing above this is replayed: 256 PiB.
  private static let mostBytes = 1 << 58

  /// Replays a plan's first two steps on `limit` bytes.
  ///
  /// - Parameters:
  ///   - step: The step to replay.
  ///   - fold: Its peaks.
  init(
    _ step: ReplayedStep, _ fold: MemoryFold, settings: AllocatorSettings, limit: Int,
    effort: Effort
  ) throws(PlanError) {
    var live = 0
    for peak in fold.peaks { live = max(live, peak.rounded) }
    let cannotFit = live > limit
    phases = fold.peaks.map { .init(allocated: $0.rounded, reserved: $0.rounded) }
    ideal = live
    (lowest, highest) = (live, live)
    // What takes more than twice the device is hopeless, and not replayed either.
    fits = effort == .tensors && !cannotFit
    if effort == .tensors { return }
    if cannotFit, effort != .report || live > Self.mostBytes || live / 2 > limit { return }
    guard step.events <= Self.mostEvents else {
      try scale(step, settings: settings, limit: limit)
      return
    }
    try replay(
      step, AllocatorRules(settings), limit: limit, cannotFit: cannotFit, effort: effort)
  }

  private mutating func replay(
    _ step: ReplayedStep, _ rules: AllocatorRules, limit: Int, cannotFit: Bool, effort: Effort
  ) throws(PlanError) {
    orders = 1
    let way = ReplayedStep.Way(rules: rules)
    let ahead = ReplayedStep.Way(rules: rules, runsAhead: true)
    let hasReaders = try step.script().hasReaders
    var early: ReplayOutcome?
    if !cannotFit {
      // Whose tensors alone come near the limit is asked for other orders too: the first one at the same time.
      let isNear = ideal > limit / 6 * 5 && effort != .quick && !hasReaders
      let other = ReplayedStep.Way(rules: rules, order: Self.otherOrders[0])
      let outcomes = try step.outcomes(isNear ? [way, other] : [way], limit: limit)
      fits = outcomes[0].survives
      if fits { note(outcomes[0], held: outcomes[0].held) }
      if isNear { early = outcomes[1] }
    }
    guard fits else {
      if effort == .report {
        let free = try step.outcome(of: way, limit: DeviceMemory.unlimited)
        note(free, held: max(free.held, free.reserved))
        if hasReaders {
          noteRunAhead(try step.outcome(of: ahead, limit: DeviceMemory.unlimited))
        }
      }
      return
    }
    if hasReaders {
      let outcome = try step.outcome(of: ahead, limit: limit)
      noteRunAhead(outcome)
      guard outcome.survives else {
        fits = false
        return noteRunAhead(try step.outcome(of: ahead, limit: DeviceMemory.unlimited))
      }
    }
    // Below five sixths of the limit one order is enough: in 3,155 replays of the reference cases another one
    // moved what is held by 14.6 % at most, and this leaves 20 %.
    guard highest > limit / 6 * 5, effort != .quick else { return }
    // As many at a time as there are cores; taken in their order, up to the first that fails.
    var next = 0
    while next < Self.otherOrders.count {
      let left = Self.otherOrders[next...]
      let ways = left.prefix(early == nil ? Parallel.cores : 1).map {
        ReplayedStep.Way(rules: rules, order: $0, runsAhead: hasReaders)
      }
      let outcomes: [ReplayOutcome]
      if let known = early {
        outcomes = [known]
      } else {
        outcomes = try step.outcomes(ways, limit: limit)
      }
      early = nil
      for (way, outcome) in zip(ways, outcomes) {
        orders += 1
        guard outcome.survives else {
          fits = false
          if effort == .report {
            let free = try step.outcome(
              of: .init(rules: rules, order: way.order), limit: DeviceMemory.unlimited)
            highest = max(highest, free.held, free.reserved)
          }
          return
        }
        (lowest, highest) = (min(lowest, outcome.held), max(highest, outcome.held))
        retries = max(retries, outcome.retries)
      }
      next += outcomes.count
    }
  }

  /// Where other streams may still read what is freed: what is held at most, with the host as far ahead as it can be.
  private mutating func noteRunAhead(_ outcome: ReplayOutcome) {
    runsAhead = true
    highest = max(highest, outcome.held)
  }

  private mutating func note(_ outcome: ReplayOutcome, held: Int) {
    phases = outcome.phases
    (lowest, highest) = (held, held)
    largestFreeBlock = outcome.largestFreeBlock
    retries = outcome.retries
  }

  /// Far more layers than any model has: fewer are replayed, and what the allocator holds beyond what it hands
  /// out is taken in proportion.
  private mutating func scale(
    _ step: ReplayedStep, settings: AllocatorSettings, limit: Int
  ) throws(PlanError) {
    let divisor = step.events / Self.mostEvents + 1
    layers = max(1, step.layers / divisor)
    let script = ReplayScript(try step.unrolled(divisor).schedule, step.program)
    let replay = AllocatorReplay(script, AllocatorRules(settings), DeviceMemory())
    orders = 1
    for (index, phase) in replay.phases.enumerated() where phase.allocated > 0 {
      let ratio = Double(phase.reserved) / Double(phase.allocated)
      let reserved = Double(phases[index].allocated) * max(1, ratio)
      guard let whole = Int(exactly: reserved.rounded(.up)) else {
        throw .overflow("bytes", "what the allocator holds")
      }
      phases[index].reserved = whole
    }
    highest = phases.map(\.reserved).max() ?? 0
    lowest = highest
    fits = highest <= limit
  }

  /// What the report says of it; `nil` where nothing was replayed.
  var summary: Report.Allocator? {
    guard orders > 0 else { return nil }
    return Report.Allocator(
      reservedLow: Bytes(lowest), reservedHigh: Bytes(highest), orders: orders,
      inactiveSplit: Bytes(phases.map(\.inactiveSplit).max() ?? 0),
      largestFreeBlock: Bytes(largestFreeBlock), ideal: Bytes(ideal), retries: retries)
  }

  /// What to tell the reader.
  var assumptions: [Assumption] {
    guard orders > 0 else {
      return [
        Assumption(
          "allocator",
          "nothing is lost in the caching allocator: the tensors alone exceed the device",
          source: "a lower bound")
      ]
    }
    var text = "the caching allocator replayed over the first two steps"
    if orders > 1 { text += ", with \(orders) orders of addresses" }
    if retries > 0 { text += "; it gives its cache back \(retries) times, which is slow" }
    if runsAhead {
      text +=
        "; the most is held with the host as far ahead of the streams as FSDP's limiter lets it"
    }
    if let layers { text += ", for \(layers) of the layers" }
    return [
      Assumption(
        "allocator", text,
        source: "c10/cuda/CUDACachingAllocator.cpp, PyTorch 2.11; equal to its recorded segments")
    ]
  }
}

/// Two training steps, run through the caching allocator.
struct AllocatorReplay: ~Copyable, Sendable {
  /// A phase's highest figures, in bytes.
  struct PhasePeak: Hashable, Sendable {
    /// `torch.cuda.max_memory_allocated()`.
    var allocated = 0
    /// `torch.cuda.max_memory_reserved()`.
    var reserved = 0
    /// The most that free pieces of segments took.
    var inactiveSplit = 0
  }

  /// Where memory ran out.
  struct Failure: Hashable, Sendable {
    /// Loading the model (0), or the step.
    var step: Int
    /// The phase, or `nil` while the model is loaded.
    var phase: Phase?
  }

  /// Each phase of the second step, in the order of ``Phase``.
  private(set) var phases = Array(repeating: PhasePeak(), count: Phase.allCases.count)
  /// The most that was reserved at any time.
  private(set) var reserved = 0
  /// Where memory ran out, or `nil`.
  private(set) var failure: Failure?
  /// The allocator as it was left.
  private(set) var allocator: CachingAllocator
  private var phase: Int?
  /// How far the host is ahead of the streams; `nil` where they are done at once.
  private var ahead: HostRunAhead?

  /// Runs a script.
  ///
  /// - Parameter runsAhead: Whether the host is as far ahead of the device's streams as it can be, so that memory that
  ///   another stream reads stays taken as long as can be; without it the streams are done at once.
  init(
    _ script: ReplayScript, _ rules: AllocatorRules, _ memory: DeviceMemory,
    runsAhead: Bool = false
  ) {
    allocator = CachingAllocator(rules, memory: memory)
    if runsAhead, script.hasReaders { ahead = HostRunAhead() }
    var slots = ContiguousArray<Int32>(repeating: -1, count: script.slots)
    run(script.loading, step: 0, &slots)
    run(script.first, step: 1, &slots)
    run(script.second, step: 2, &slots)
  }

  private mutating func run(
    _ commands: ContiguousArray<ReplayScript.Command>, step: Int,
    _ slots: inout ContiguousArray<Int32>
  ) {
    guard failure == nil else { return }
    for command in commands {
      switch command.kind {
      case .allocate:
        if command.stream == ReplayScript.Command.inPlace { continue }
        guard let block = allocator.allocate(command.bytes, stream: command.stream) else {
          failure = Failure(step: step, phase: phase.map { Phase.allCases[$0] })
          return
        }
        slots[Int(command.slot)] = block
        if command.stream > 0 { ahead?.allocated(command.slot) }
      case .free:
        let block = slots[Int(command.slot)]
        slots[Int(command.slot)] = -1
        guard block >= 0 else { break }
        if let ahead, command.stream > 0 {
          allocator.use(block)
          allocator.free(block, at: ahead.now, isComputed: command.stream == 1)
        } else {
          allocator.free(block)
        }
      case .phase:
        close(step)
        phase = Int(command.slot)
        allocator.statistics.resetPeaks()
        if command.slot == Int32(Phase.optimizer.rawValue) { ahead?.joined() }
      case .emptyCache: allocator.releaseCached()
      case .hostWait:
        if let done = ahead?.wait() { allocator.synchronize { done.covers($0) } }
      case .hostMark: ahead?.mark(command.slot)
      }
    }
    close(step)
    phase = nil
  }

  /// A phase ends.
  private mutating func close(_ step: Int) {
    let statistics = allocator.statistics
    reserved = max(reserved, statistics.reserved.peak)
    guard let phase, step == 2 else { return }
    phases[phase].allocated = max(phases[phase].allocated, statistics.allocated.peak)
    phases[phase].reserved = max(phases[phase].reserved, statistics.reserved.peak)
    phases[phase].inactiveSplit = max(
      phases[phase].inactiveSplit, statistics.inactiveSplit.peak)
  }
}

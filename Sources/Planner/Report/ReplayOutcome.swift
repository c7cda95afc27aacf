/// What one replay of two steps comes to.
struct ReplayOutcome: Sendable {
  /// Whether memory sufficed.
  let survives: Bool
  /// Each phase of the second step.
  let phases: [AllocatorReplay.PhasePeak]
  /// The most that was held in the second step.
  let held: Int
  /// The most that was held at any time.
  let reserved: Int
  /// The most that the driver gave out.
  let most: Int
  /// What the device had.
  let limit: Int
  /// The largest block that is free after the second step.
  let largestFreeBlock: Int
  /// How often the allocator gave its cache back to go on.
  let retries: Int

  /// Whether the limit was never met.
  var isUnlimited: Bool { survives && retries == 0 }

  init(_ script: ReplayScript, _ way: ReplayedStep.Way, limit: Int) {
    let replay = AllocatorReplay(
      script, way.rules, DeviceMemory(capacity: limit, order: way.order),
      runsAhead: way.runsAhead)
    survives = replay.failure == nil
    phases = replay.phases
    held = replay.phases.map(\.reserved).max() ?? 0
    reserved = replay.reserved
    most = replay.allocator.memory.most
    self.limit = limit
    largestFreeBlock = replay.allocator.largestFreeBlock
    retries = replay.allocator.statistics.retries
  }
}

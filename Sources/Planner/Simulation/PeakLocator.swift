/// Finds what is alive at a peak, and where in the model it lies.
struct PeakLocator {
  /// What is alive, by role.
  private(set) var breakdown = Breakdown()
  /// The operation, as ``Event/operation``.
  private(set) var operation: Int32 = -1
  /// Whether it was recomputed there.
  private(set) var again = false
  /// The layer, counted from 0, or `nil` outside the layers.
  private(set) var layer: Int?

  /// One number for each role; ``Role`` has seven cases.
  private typealias Roles = SIMD8<Int>

  private struct Level {
    var roles = Roles()
    var count = 1
    var stride = 0
  }

  /// Walks the schedule up to the peak, and on to the ends of the repetitions around it.
  init(_ peak: MemoryFold.Peak, in schedule: Schedule) {
    var levels = [Level()]
    var current: Int?
    var found: [Level]?
    var totals = Roles()
    for (index, event) in schedule.events.enumerated() {
      let top = levels.count - 1
      switch event.kind {
      case .memory:
        levels[top].roles[Int(event.role.rawValue)] &+= event.bytes &* Int(event.count)
      case .repeatBegin:
        var level = Level()
        level.count = Int(event.count)
        level.stride = event.bytes
        levels.append(level)
      case .repeatEnd:
        guard top > 0 else { break }
        let inner = levels.removeLast()
        levels[top - 1].roles &+= inner.roles &* inner.count
        if found != nil, top < found?.count ?? 0 {
          // A repetition around the peak ends: its earlier copies lie below the peak.
          if peak.last >> UInt64(min(top - 1, 63)) & 1 == 1 {
            totals &+= inner.roles &* (inner.count - 1)
            if let layer { self.layer = layer + (inner.count - 1) * inner.stride }
          }
          found?.removeLast()
        }
      case .layer: current = event.bytes
      case .outside: current = nil
      case .phase, .update, .hostWait, .hostMark: break
      }
      if index == peak.event {
        found = levels
        operation = event.operation
        again = event.again
        layer = current
        for level in levels { totals &+= level.roles }
      }
      if let found, found.count <= 1 { break }
    }
    for role in Role.allCases { breakdown[role] = Bytes(totals[Int(role.rawValue)]) }
  }
}

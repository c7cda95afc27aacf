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

  private struct Level {
    var roles = Array(repeating: 0, count: Role.allCases.count)
    var count = 1
    var stride = 0
  }

  /// Walks the schedule up to the peak, and on to the ends of the repetitions around it.
  init(_ peak: MemoryFold.Peak, in schedule: Schedule) {
    var levels = [Level()]
    var current: Int?
    var found: [Level]?
    var totals = Array(repeating: 0, count: Role.allCases.count)
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
        for role in inner.roles.indices {
          levels[top - 1].roles[role] &+= inner.count &* inner.roles[role]
        }
        if found != nil, top < found?.count ?? 0 {
          // A repetition around the peak ends: its earlier copies lie below the peak.
          if peak.last >> UInt64(min(top - 1, 63)) & 1 == 1 {
            for role in inner.roles.indices {
              totals[role] &+= (inner.count - 1) &* inner.roles[role]
            }
            if let layer { self.layer = layer + (inner.count - 1) * inner.stride }
          }
          found?.removeLast()
        }
      case .layer: current = event.bytes
      case .outside: current = nil
      case .phase: break
      }
      if index == peak.event {
        found = levels
        operation = event.operation
        again = event.again
        layer = current
        for level in levels {
          for role in totals.indices { totals[role] &+= level.roles[role] }
        }
      }
      if let found, found.count <= 1 { break }
    }
    for role in Role.allCases { breakdown[role] = Bytes(totals[Int(role.rawValue)]) }
  }
}

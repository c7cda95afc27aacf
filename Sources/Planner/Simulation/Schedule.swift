/// A training step as a short program of allocations and releases, with repetitions.
///
/// Eighty equal layers are one layer repeated, so a schedule is as long for 12 layers as for 12,000.
struct Schedule: Sendable {
  /// The events in order; repetitions nest.
  var events: ContiguousArray<Event> = []

  /// A tensor is allocated `count` times over.
  mutating func allocate(
    _ bytes: Int, count: Int = 1, _ role: Role, _ operation: Int32,
    storage: Int32 = Event.unnamed, stream: UInt8 = 0
  ) {
    events.append(
      Event(
        kind: .memory, role: role, stream: stream, count: Int32(truncatingIfNeeded: count),
        operation: operation, storage: storage, bytes: bytes))
  }

  /// A tensor is freed `count` times over; `reader` is one more than the stream that may still read it, or 0.
  mutating func free(
    _ bytes: Int, count: Int = 1, _ role: Role, _ operation: Int32,
    storage: Int32 = Event.unnamed, reader: UInt8 = 0
  ) {
    events.append(
      Event(
        kind: .memory, role: role, stream: reader, count: Int32(truncatingIfNeeded: -count),
        operation: operation,
        storage: storage, bytes: bytes))
  }

  /// A phase begins.
  mutating func begin(_ phase: Phase) {
    events.append(
      Event(
        kind: .phase, count: Int32(phase.rawValue), operation: Moment.phaseStart.rawValue))
  }

  /// What follows happens `count` times.
  mutating func beginRepeat(_ count: Int) {
    events.append(Event(kind: .repeatBegin, count: Int32(truncatingIfNeeded: count)))
  }

  /// Ends a repetition.
  mutating func endRepeat() { events.append(Event(kind: .repeatEnd)) }
}

extension Schedule {
  /// How many events there are with every repetition written out, at most `Int.max`.
  var unfoldedCount: Int {
    var counts = [0]
    var times = [1]
    for event in events {
      switch event.kind {
      case .repeatBegin:
        counts.append(0)
        times.append(max(1, Int(event.count)))
      case .repeatEnd:
        guard counts.count > 1, let inner = counts.popLast(), let count = times.popLast() else {
          continue
        }
        let (product, overflow) = inner.multipliedReportingOverflow(by: count)
        let (sum, over) = counts[counts.count - 1].addingReportingOverflow(
          overflow ? .max : product)
        counts[counts.count - 1] = over ? .max : sum
      case .memory:
        let (sum, over) = counts[counts.count - 1].addingReportingOverflow(
          abs(Int(event.count)))
        counts[counts.count - 1] = over ? .max : sum
      case .phase, .layer, .outside, .update, .hostWait, .hostMark: counts[counts.count - 1] += 1
      }
    }
    return counts[0]
  }
}

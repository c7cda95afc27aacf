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

  /// A tensor is freed `count` times over.
  mutating func free(
    _ bytes: Int, count: Int = 1, _ role: Role, _ operation: Int32, storage: Int32 = Event.unnamed
  ) {
    events.append(
      Event(
        kind: .memory, role: role, count: Int32(truncatingIfNeeded: -count), operation: operation,
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

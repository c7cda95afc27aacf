/// Running a part of a model: what comes in and what goes out at its ends.
extension Tape {
  /// The part's input becomes a leaf that wants a gradient, in a buffer that is there already or in new memory.
  mutating func receive(_ instruction: Instruction) {
    let storage =
      receivesIntoBuffers
      ? -1 : allocate(instruction.bytes, .communication, Moment.received.rawValue)
    if namesReceived {
      retain(storage)
      received = storage
    }
    registers[Int(instruction.a)] = Register(
      storage: storage, source: -2 - Int32(inputLeaf) - instruction.b, requires: true,
      held: storage >= 0)
  }

  /// A storage of memory that something else has and keeps.
  mutating func stays(_ bytes: Int) -> Int32 {
    storages.append(
      Storage(bytes: bytes, references: 1 << 30, role: .communication, copies: copies))
    return Int32(truncatingIfNeeded: storages.count - 1)
  }
}

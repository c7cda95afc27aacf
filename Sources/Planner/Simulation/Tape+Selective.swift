/// Selective checkpoints: some operators' results are kept, and taken instead of recomputed.
extension Tape {
  /// What the instructions of a section are to the selective checkpoint that runs it, or nothing.
  func selectedRoles(_ section: Int) -> [SavedOperations.Role] {
    guard frame >= 0, mode == .checkpoint || mode == .replay,
      let operations = frames[Int(frame)].operations
    else { return [] }
    return selections[operations]?[section] ?? []
  }

  /// A tensor of an operator whose results are kept: made and kept in forward, taken in a recomputation.
  mutating func allocateSelected(_ instruction: Instruction, _ role: SavedOperations.Role) {
    let index = Int(frame)
    var storage: Int32 = -1
    if mode == .replay {
      if role == .saved, frames[index].taken < frames[index].results.count {
        // The checkpoint's reference becomes the running code's.
        storage = frames[index].results[frames[index].taken]
        frames[index].results[frames[index].taken] = -1
        frames[index].taken += 1
      }
    } else if instruction.code == .allocate || needed(Int(instruction.b)) != 0 {
      storage = allocate(instruction.bytes, instruction.role, instruction.b)
    }
    registers[Int(instruction.a)] = Register(storage: storage, held: storage >= 0)
    guard mode == .checkpoint, role == .saved else { return }
    retain(storage)
    frames[index].results.append(storage)
  }
}

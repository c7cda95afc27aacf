/// A section's code in pieces that can run on their own: one for each operation.
struct BlockUnits {
  struct Unit {
    /// The recorded operation, or -1.
    var operation: Int32 = -1
    var instructions: ContiguousArray<Instruction> = []
    /// Registers that it reads.
    var reads: [Int32] = []
    /// Registers that have a tensor once it ran.
    var makes: [Int32] = []
    /// Registers that the code lets go of before the next unit.
    var releases: [Int32] = []
    /// Registers that its backward reads, each with the inputs whose gradients need it.
    var saves: [(register: Int32, mask: UInt8)] = []
    /// The inputs whose gradients its backward makes one after the other, with nothing else in between.
    var gradients: [UInt8] = []

    mutating func save(_ save: Save) {
      if let known = saves.firstIndex(where: { $0.register == save.register }) {
        saves[known].mask |= save.mask
      } else {
        saves.append((save.register, save.mask))
      }
    }
  }

  let section: Program.Section
  private(set) var all: [Unit] = []
  /// The unit that makes each register.
  private(set) var maker: [Int32: Int] = [:]
  /// All registers that units make, in order.
  private(set) var made: [Int32] = []
  private(set) var requires: Set<Int32> = []

  init(_ program: Program, section index: Int, inputRequires: Bool) {
    section = program.sections[index]
    for leaf in program.leaves where leaf.trainable { requires.insert(leaf.register) }
    if inputRequires { requires.insert(section.input) }
    var open = Unit()
    var isOpen = false
    for instruction in section.instructions {
      switch instruction.code {
      case .record: (open, isOpen) = (Unit(operation: instruction.b), true)
      case .hold, .cache, .require, .receive, .layers: continue
      case .allocate, .allocateForGradient: open.makes.append(instruction.a)
      case .alias, .keep:
        open.makes.append(instruction.a)
        open.reads.append(instruction.b)
      case .release:
        guard isOpen else {
          if !all.isEmpty { all[all.count - 1].releases.append(instruction.a) }
          continue
        }
        open.makes.removeAll { $0 == instruction.a }
      case .link: isOpen = false
      }
      open.instructions.append(instruction)
      guard !isOpen else { continue }
      close(&open, program)
      open = Unit()
    }
  }

  private mutating func close(_ unit: inout Unit, _ program: Program) {
    if unit.operation >= 0 {
      let operation = program.operations[Int(unit.operation)]
      var mask: UInt8 = 0
      for (bit, place) in operation.inputs.enumerated() {
        unit.reads.append(program.registers[place])
        if requires.contains(program.registers[place]) { mask |= 1 << bit }
      }
      for index in operation.savedInputs where program.saves[index].register >= 0 {
        unit.reads.append(program.saves[index].register)
      }
      if mask != 0 {
        for place in operation.outputs { requires.insert(program.registers[place]) }
        for save in program.saves[operation.savedInputs] + program.saves[operation.savedOutputs]
        where save.mask & mask != 0 && save.register >= 0 { unit.save(save) }
        let steps = program.steps[operation.steps].filter { $0.mask & mask != 0 }
        if !steps.contains(where: { $0.kind == .allocate }) {
          unit.gradients = steps.filter { $0.kind == .gradient }.map(\.index)
        }
      }
    } else if let source = unit.reads.first, requires.contains(source) {
      requires.formUnion(unit.makes)
    }
    for register in unit.makes {
      maker[register] = all.count
      made.append(register)
    }
    all.append(unit)
  }
}

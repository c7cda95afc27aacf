/// How a block runs whose kept values a minimum cut chose: what its forward keeps, and what its backward runs when.
///
/// Forward lets go of every tensor after its last use. Backward computes a value again just before the first operation
/// that reads it, and keeps it until the last one did, as PyTorch's partitioner orders it.
///
/// Source: `reordering_to_mimic_autograd_engine` in PyTorch 2.11's `torch/_functorch/partitioners.py`; code that
/// `torch.fx` writes drops a name behind its last use.
struct RecomputePlan: Sendable {
  /// What decides a plan of a program.
  struct Key: Hashable, Sendable {
    var section: Int
    /// `activation_memory_budget`: from 0 to 1.
    var budget: Double
    /// Whether backward makes the gradient of the block's input.
    var inputRequires: Bool
  }

  /// What surrounds the backward of one operation.
  struct Stage: Sendable {
    /// Runs ahead of it.
    var before: ContiguousArray<Instruction> = []
    /// Registers that let go of their tensors once it returned.
    var after: ContiguousArray<Int32> = []
  }

  /// The forward.
  private(set) var forward: ContiguousArray<Instruction> = []
  /// Registers whose tensors forward keeps, besides the block's inputs.
  private(set) var kept: ContiguousArray<Int32> = []
  /// What the block is called with, of which backward reads something: its input and arguments.
  private(set) var arguments: ContiguousArray<Int32> = []
  /// Registers that want a gradient.
  private(set) var requires: Set<Int32> = []
  /// The stages of the operations that read values in backward.
  private(set) var stages: [Int32: Stage] = [:]

  init(_ program: Program, _ key: Key) {
    let graph = JointGraph(program, section: key.section, inputRequires: key.inputRequires)
    let units = BlockUnits(program, section: key.section, inputRequires: key.inputRequires)
    requires = units.requires
    var chosen: Set<Int32> = []
    for value in SavedValues(graph).kept(budget: key.budget) {
      chosen.insert(graph.nodes[value].register)
    }
    let called = [units.section.input] + units.section.arguments
    arguments = ContiguousArray(called.filter(chosen.contains))
    kept = ContiguousArray(units.made.filter(chosen.contains))
    layOutForward(units, results: [units.section.output, units.section.kept])
    layOutBackward(units)
  }

  private mutating func layOutForward(_ units: BlockUnits, results: [Int32]) {
    var last: [Int32: Int] = [:]
    for (index, unit) in units.all.enumerated() {
      for register in unit.reads { last[register] = index }
      for register in unit.makes where last[register] == nil && unit.operation >= 0 {
        last[register] = index
      }
    }
    let stay = Set(kept).union(results)
    for (index, unit) in units.all.enumerated() {
      forward += unit.instructions
      let gone = unit.reads + unit.makes
      for (place, register) in gone.enumerated()
      where last[register] == index && !stay.contains(register)
        && !gone[..<place].contains(register)
      {
        forward.append(Instruction(code: .release, a: register))
      }
      // What nothing but operations that autograd does not know reads lives as long as the code keeps it.
      for register in unit.releases where last[register] == nil && !stay.contains(register) {
        forward.append(Instruction(code: .release, a: register))
      }
    }
  }

  private mutating func layOutBackward(_ units: BlockUnits) {
    var known = Set(kept)
    /// The units and operations of backward in order: a unit's index, or -1 and the operation.
    var order: [(unit: Int, operation: Int32, uses: [Int32])] = []
    for unit in units.all.reversed() where !unit.saves.isEmpty {
      var again: Set<Int> = []
      var open = unit.saves
      while let register = open.popLast() {
        guard !known.contains(register), let maker = units.maker[register] else { continue }
        again.insert(maker)
        known.formUnion(units.all[maker].makes)
        open += units.all[maker].reads
      }
      for index in again.sorted() {
        order.append(
          (index, unit.operation, units.all[index].reads + units.all[index].makes))
      }
      order.append((-1, unit.operation, unit.saves))
    }
    var last: [Int32: Int] = [:]
    for (place, entry) in order.enumerated() {
      for register in entry.uses { last[register] = place }
    }
    for (place, entry) in order.enumerated() {
      var gone: ContiguousArray<Int32> = []
      for register in entry.uses where last[register] == place && !gone.contains(register) {
        gone.append(register)
      }
      var stage = stages[entry.operation] ?? Stage()
      if entry.unit >= 0 {
        stage.before += units.all[entry.unit].instructions
        for register in gone { stage.before.append(Instruction(code: .release, a: register)) }
      } else {
        stage.after = gone
      }
      stages[entry.operation] = stage
    }
  }
}

/// A section's code in pieces that can run on their own: one for each operation.
private struct BlockUnits {
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
    /// Registers that its backward reads.
    var saves: [Int32] = []
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
        where save.mask & mask != 0 && save.register >= 0 { unit.saves.append(save.register) }
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

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
    /// What surrounds the making of single gradients.
    var parts: [Part] = []
  }

  /// What surrounds the making of the gradient of one input, where nothing else reads the same values.
  struct Part: Sendable {
    var gradient: UInt8
    var before: ContiguousArray<Instruction> = []
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
    self.init(
      BlockUnits(program, section: key.section, inputRequires: key.inputRequires), graph,
      keeping: SavedValues(graph).kept(budget: key.budget))
  }

  /// The plans of a section for several budgets, from the highest to the lowest.
  ///
  /// - Parameter known: What some budgets keep.
  static func all(
    _ program: Program, section: Int, inputRequires: Bool, _ values: SavedValues,
    budgets: [Double], known: [Double: [Int]]
  ) -> [Key: Self] {
    let units = BlockUnits(program, section: section, inputRequires: inputRequires)
    var plans: [Key: Self] = [:]
    let unknown = budgets.filter { known[$0] == nil }
    let found = known.merging(zip(unknown, values.kept(budgets: unknown))) { $1 }
    for (budget, kept) in budgets.lazy.map({ ($0, found[$0] ?? []) }) {
      plans[Key(section: section, budget: budget, inputRequires: inputRequires)] = Self(
        units, values.graph, keeping: kept)
    }
    return plans
  }

  private init(_ units: BlockUnits, _ graph: JointGraph, keeping values: [Int]) {
    requires = units.requires
    let chosen = Set(values.map { graph.nodes[$0].register })
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
    var order = BackwardOrder(units, known: kept)
    for unit in units.all.reversed() where !unit.saves.isEmpty { order.add(unit) }
    stages = order.stages()
  }

  /// Whether backward runs an operation of this name again.
  func runsAgain(_ name: String, of program: Program) -> Bool {
    stages.values.contains { stage in
      (stage.parts.map(\.before) + [stage.before]).joined().contains {
        $0.code == .record && program.operations[Int($0.b)].name.description == name
      }
    }
  }
}

/// Backward in order: operations, and ahead of each what it is the first to read.
private struct BackwardOrder {
  private struct Entry {
    /// The unit that runs again, or -1 where the operation reads values.
    var unit: Int
    var operation: Int32
    /// The gradient that the operation makes then, or -1 for the whole of it.
    var gradient: Int
    var uses: [Int32]
  }

  private let units: BlockUnits
  private var known: Set<Int32>
  private var entries: [Entry] = []

  init(_ units: BlockUnits, known: ContiguousArray<Int32>) {
    (self.units, self.known) = (units, Set(known))
  }

  mutating func add(_ unit: BlockUnits.Unit) {
    let parts = unit.gradients.map { gradient in
      (gradient, unit.saves.filter { $0.mask == 1 << gradient }.map(\.register))
    }
    let whole = unit.saves.filter { save in !unit.gradients.contains { save.mask == 1 << $0 } }
      .map(\.register)
    compute(whole, for: unit.operation, -1)
    for (gradient, reads) in parts where !reads.isEmpty {
      compute(reads, for: unit.operation, Int(gradient))
      entries.append(
        Entry(unit: -1, operation: unit.operation, gradient: Int(gradient), uses: reads))
    }
    entries.append(Entry(unit: -1, operation: unit.operation, gradient: -1, uses: whole))
  }

  /// Runs again what registers come from, as far as it is not known yet.
  private mutating func compute(_ reads: [Int32], for operation: Int32, _ gradient: Int) {
    var again: Set<Int> = []
    var open = reads
    while let register = open.popLast() {
      guard !known.contains(register), let maker = units.maker[register] else { continue }
      again.insert(maker)
      known.formUnion(units.all[maker].makes)
      open += units.all[maker].reads
    }
    for index in again.sorted() {
      entries.append(
        Entry(
          unit: index, operation: operation, gradient: gradient,
          uses: units.all[index].reads + units.all[index].makes))
    }
  }

  /// What surrounds each operation: every value dies behind the last entry that uses it.
  func stages() -> [Int32: RecomputePlan.Stage] {
    var stages: [Int32: RecomputePlan.Stage] = [:]
    var last: [Int32: Int] = [:]
    for (place, entry) in entries.enumerated() {
      for register in entry.uses { last[register] = place }
    }
    for (place, entry) in entries.enumerated() {
      var gone: ContiguousArray<Int32> = []
      for register in entry.uses where last[register] == place && !gone.contains(register) {
        gone.append(register)
      }
      var runs: ContiguousArray<Instruction> = []
      if entry.unit >= 0 {
        runs = units.all[entry.unit].instructions
        for register in gone { runs.append(Instruction(code: .release, a: register)) }
        gone = []
      }
      var stage = stages[entry.operation] ?? RecomputePlan.Stage()
      if entry.gradient < 0 {
        stage.before += runs
        stage.after += gone
      } else {
        let gradient = UInt8(truncatingIfNeeded: entry.gradient)
        let index = stage.parts.firstIndex { $0.gradient == gradient } ?? stage.parts.count
        if index == stage.parts.count { stage.parts.append(.init(gradient: gradient)) }
        stage.parts[index].before += runs
        stage.parts[index].after += gone
      }
      stages[entry.operation] = stage
    }
    return stages
  }
}

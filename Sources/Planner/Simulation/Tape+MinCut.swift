/// Layers whose kept values a minimum cut chose: backward computes the others again, one operation at a time.
extension Tape {
  /// One layer that keeps what its plan says.
  mutating func keepMinCut(_ section: Int, input: Register, budget: Double) {
    let key = RecomputePlan.Key(section: section, budget: budget, inputRequires: input.requires)
    let plan = recomputation(key)
    let arguments = ContiguousArray(plan.arguments.map { registers[Int($0)].storage })
    for argument in arguments { retain(argument) }
    let index = frames.count
    frames.append(Frame(section: section, input: input, arguments: arguments, plan: key))
    let outer = (mode, frame)
    if mode != .off { (mode, frame) = (.checkpoint, Int32(index)) }
    run(plan.forward)
    (mode, frame) = outer
    for register in plan.kept {
      let value = registers[Int(register)]
      guard value.held else { continue }
      frames[index].results.append(value.storage)
      frames[index].kept.append(register)
      if register == program.sections[section].output {
        retain(value.storage)
      } else {
        registers[Int(register)].held = false
      }
    }
    frames[index].remaining = frames[index].count
    if frames[index].count == 0 { close(index) }
  }

  /// The plan of a layer, made once.
  private mutating func recomputation(_ key: RecomputePlan.Key) -> RecomputePlan {
    if let known = recomputations[key] { return known }
    let plan = RecomputePlan(program, key)
    recomputations[key] = plan
    return plan
  }

  /// Computes again what an operation's backward is the first to read.
  ///
  /// - Returns: Whether the operation's layer has a plan.
  mutating func recompute(for node: Node) -> Bool {
    let index = Int(node.frame)
    guard let key = frames[index].plan else { return false }
    let plan = recomputation(key)
    if !frames[index].replayed {
      frames[index].replayed = true
      let section = program.sections[frames[index].section]
      registers[Int(section.input)] = frames[index].input
      // The block's input dies behind its last use, as every kept value does.
      registers[Int(section.input)].held = plan.arguments.first == section.input
      if plan.arguments.first == section.input { frames[index].arguments.removeFirst() }
      for (place, register) in frames[index].kept.enumerated() {
        registers[Int(register)] = Register(
          storage: frames[index].results[place], requires: plan.requires.contains(register),
          held: true)
      }
      frames[index].results = []
    }
    if let stage = plan.stages[node.operation] { runAgain(stage.before) }
    return true
  }

  private mutating func runAgain(_ code: ContiguousArray<Instruction>) {
    guard !code.isEmpty else { return }
    let outer = mode
    (mode, recomputes) = (.again, true)
    run(code)
    (mode, recomputes) = (outer, false)
  }

  /// What surrounds the making of one gradient, where the operation's layer has a plan.
  mutating func part(of node: Node, gradient: UInt8) -> RecomputePlan.Part? {
    guard node.frame >= 0, let key = frames[Int(node.frame)].plan else { return nil }
    return recomputations[key]?.stages[node.operation]?.parts.first { $0.gradient == gradient }
  }

  /// Allocates a gradient; of a layer with a plan, what it alone reads is made before and dies after.
  mutating func allocateGradient(_ step: BackwardStep, of node: Node) -> Int32 {
    guard let part = part(of: node, gradient: step.index) else {
      return allocate(step.bytes, step.role, node.operation)
    }
    runAgain(part.before)
    let storage = allocate(step.bytes, step.role, node.operation)
    for register in part.after { letGo(register) }
    return storage
  }

  /// A temporary of backward is there; of a layer with a plan, what it alone is made from dies.
  ///
  /// - Returns: Whether what the operation saved died.
  mutating func letGoOfSteps(of node: Node, upTo index: UInt8) -> Bool {
    guard node.frame >= 0, frames[Int(node.frame)].plan != nil,
      JointOperators.stepsAhead(program.operations[Int(node.operation)].name) > 0
    else { return false }
    if index == 0 { return letGoOfRead(node) }
    release(temporaries[Int(index) - 1], node.operation)
    temporaries[Int(index) - 1] = -1
    return false
  }

  /// Whether backward adds a bias again in any layer whose values a minimum cut chose.
  mutating func cutsAddBiasAgain() -> Bool {
    guard program.addsBias else { return false }
    for kind in stacks.flatMap(\.kinds) {
      guard case .minCut(let budget) = kind.retention else { continue }
      let key = RecomputePlan.Key(section: kind.section, budget: budget, inputRequires: true)
      if recomputation(key).runsAgain("addmm", of: program) { return true }
    }
    return false
  }

  /// The operation's backward has returned: what it was the last to read dies.
  ///
  /// - Returns: Whether the operation's layer has a plan.
  mutating func letGoOfRead(_ node: Node) -> Bool {
    guard node.frame >= 0, let key = frames[Int(node.frame)].plan else { return false }
    guard let stage = recomputations[key]?.stages[node.operation] else { return true }
    for register in stage.after { letGo(register) }
    return true
  }

  /// Passes an operation that no gradient reached.
  mutating func skip(_ node: Node) {
    if node.frame >= 0, node.savedCount > 0, recompute(for: node) {
      for step in program.steps[program.operations[Int(node.operation)].steps]
      where step.kind == .gradient {
        guard let part = part(of: node, gradient: step.index) else { continue }
        runAgain(part.before)
        for register in part.after { letGo(register) }
      }
      _ = letGoOfRead(node)
    }
    letGoOfSaved(node)
  }
}

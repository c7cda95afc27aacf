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
      registers[Int(section.input)].held = false
      for (place, register) in frames[index].kept.enumerated() {
        registers[Int(register)] = Register(
          storage: frames[index].results[place], requires: plan.requires.contains(register),
          held: true)
      }
      frames[index].results = []
    }
    guard let stage = plan.stages[node.operation], !stage.before.isEmpty else { return true }
    let outer = (mode, frame)
    (mode, frame, recomputes) = (.again, Int32(index), true)
    run(stage.before)
    (mode, frame, recomputes) = (outer.0, outer.1, false)
    return true
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
    if node.frame >= 0, node.savedCount > 0, recompute(for: node) { _ = letGoOfRead(node) }
    letGoOfSaved(node)
  }
}

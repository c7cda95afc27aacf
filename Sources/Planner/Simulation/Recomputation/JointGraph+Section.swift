/// Reading a block's joint graph off its program.
extension JointGraph {
  /// The joint graph of a section, with its registers that want a gradient.
  ///
  /// - Parameter inputRequires: Whether backward makes the gradient of what the block is called with.
  init(_ program: Program, section: Int, inputRequires: Bool) {
    var reader = JointGraphReader(program, section: section, inputRequires: inputRequires)
    reader.read()
    self = reader.graph
  }
}

/// Walks a section's instructions, and writes an operator as AOTAutograd traces it for each that is recorded.
private struct JointGraphReader {
  private let program: Program
  private let section: Program.Section
  var graph = JointGraph()
  /// The node of each register.
  private var nodes: [Int32: Int] = [:]
  /// Registers that want a gradient.
  private var requires: Set<Int32> = []
  /// Views of several dimensions as rows, which products of one tensor share.
  private var rows: [Int: Int] = [:]
  /// Values that were copied into rows.
  private var copies: Set<Int> = []

  init(_ program: Program, section: Int, inputRequires: Bool) {
    self.program = program
    self.section = program.sections[section]
    for index in self.section.leaves {
      let leaf = program.leaves[index]
      addInput(leaf.register, bytes: leaf.tensors.reduce(0, &+))
      if leaf.trainable { requires.insert(leaf.register) }
    }
    addInput(self.section.input, bytes: program.sizes[Int(self.section.input)])
    if inputRequires { requires.insert(self.section.input) }
    // What it is called with besides is an input where it is read.
  }

  private mutating func addInput(_ register: Int32, bytes: Int) {
    guard nodes[register] == nil else { return }
    nodes[register] = graph.add("input", .input, bytes: bytes, register: register)
  }

  /// The node of a register; one that the model made outside the block is an input.
  private mutating func node(_ register: Int32) -> Int {
    if let known = nodes[register] { return known }
    addInput(register, bytes: program.sizes[Int(register)])
    return nodes[register] ?? 0
  }

  mutating func read() {
    var open: Int32 = -1
    var made: [Int32] = []
    var isAliased = false
    for instruction in section.instructions {
      switch instruction.code {
      case .record: (open, made, isAliased) = (instruction.b, [], false)
      case .allocate, .allocateForGradient:
        if open >= 0 {
          made.append(instruction.a)
        } else {
          addPlain(instruction)
        }
      case .alias, .keep:
        if open >= 0 { isAliased = true } else { nodes[instruction.a] = node(instruction.b) }
      case .release: if open >= 0 { made.removeAll { $0 == instruction.a } }
      case .link:
        add(program.operations[Int(instruction.b)], made: made, isView: isAliased)
        open = -1
      case .hold, .cache, .require, .receive, .layers: break
      }
    }
    graph.finish(results: [section.output, section.kept].compactMap { nodes[$0] })
  }

  /// A tensor that autograd knows nothing of.
  private mutating func addPlain(_ instruction: Instruction) {
    let name = instruction.b >= 0 ? program.operations[Int(instruction.b)].name : "constant"
    nodes[instruction.a] = graph.add(
      name, .claimed, JointOperators.traits(of: name), bytes: instruction.bytes,
      register: instruction.a)
  }

  /// One operation with all that is traced for it.
  private mutating func add(_ operation: Operation, made: [Int32], isView: Bool) {
    let inputs = operation.inputs.map { program.registers[$0] }
    let outputs = operation.outputs.map { program.registers[$0] }
    let (mask, reads) = (needed(inputs), inputs.map { node($0) })
    let extras = made.filter { !outputs.contains($0) }
    var operands = reads
    let result: Int
    switch operation.name.description {
    case "mm", "addmm": (result, operands) = product(operation, reads, into: outputs[0])
    case "view": result = chain([("view", .viewing), ("transpose", [])], reads[0], outputs[0])
    case "bmm": (result, operands) = batchedProduct(operation, reads, into: outputs[0])
    case "contiguous":
      // Attention's result has its heads ahead of its rows.
      let isResult = graph.nodes[reads[0]].traits.contains(.element)
      let read = isResult ? renamed("transpose", [], reads[0]) : reads[0]
      result = chain([("clone", .pointwise), ("view", .pointwise)], read, outputs[0])
      copies.insert(result)
    case "repeat_kv": result = repeated(reads[0], outputs[0], copied: !isView)
    default:
      if operation.name.description == "grouped_mm", operands.count > 1 {
        operands[1] = renamed("transpose", [], reads[1])
      }
      result = plainOperation(operation, operands, outputs: outputs, extras: extras)
    }
    if outputs.count == 1, nodes[outputs[0]] == nil { nodes[outputs[0]] = result }
    if mask != 0 { requires.formUnion(outputs) }
    consume(operation, mask, operands, result, outputs: outputs)
  }

  private func needed(_ inputs: [Int32]) -> UInt8 {
    var mask: UInt8 = 0
    for (bit, input) in inputs.enumerated() where requires.contains(input) { mask |= 1 << bit }
    return mask
  }

  /// Heads that stand for several each.
  private mutating func repeated(_ input: Int, _ output: Int32, copied: Bool) -> Int {
    let row = graph.add(
      "unsqueeze", .claimed, .viewing, bytes: graph.nodes[input].bytes, inputs: [input],
      register: graph.nodes[input].register)
    let wide = chain([("expand", .viewing)], row, output)
    return copied ? chain([("clone", .pointwise), ("view", .pointwise)], wide, output) : wide
  }

  /// A product of stacks of matrices; its backward reads both transposed.
  private mutating func batchedProduct(_ operation: Operation, _ reads: [Int], into output: Int32)
    -> (Int, [Int])
  {
    var (operands, transposed) = ([Int](), [Int]())
    for (place, read) in reads.enumerated() {
      let isTurned = operation.savedInputs.contains {
        program.saves[$0].isTransposed && program.saves[$0].mask == 1
      }
      var operand = read
      if place == 1, isTurned { operand = renamed("transpose", [], operand) }
      operand = renamed("expand", .viewing, operand)
      if !copies.contains(read) { operand = renamed("view", .viewing, operand) }
      operands.append(operand)
    }
    let bytes = program.sizes[Int(output)]
    let result = graph.add(
      operation.name, .claimed, .intensive, bytes: bytes, inputs: operands,
      flops: operation.flops, register: output)
    for operand in operands {
      transposed.append(
        graph.add(
          "transpose", .unclaimed, bytes: graph.nodes[operand].bytes, inputs: [operand],
          register: graph.nodes[operand].register))
    }
    return (renamed("view", .viewing, result), transposed)
  }

  /// Another name of a value's memory.
  private mutating func renamed(
    _ name: StaticString, _ traits: JointGraph.Traits, _ input: Int
  ) -> Int {
    graph.add(
      name, .claimed, traits, bytes: graph.nodes[input].bytes, inputs: [input],
      register: graph.nodes[input].register)
  }

  /// Operators one behind the other, all with results of one size.
  private mutating func chain(
    _ names: [(StaticString, JointGraph.Traits)], _ input: Int, _ output: Int32
  ) -> Int {
    var last = input
    for (name, traits) in names {
      let owns = !traits.contains(.view) && name.description != "transpose"
      last = graph.add(
        name, .claimed, traits, bytes: program.sizes[Int(output)], inputs: [last],
        register: owns ? output : graph.nodes[last].register)
    }
    return last
  }

  /// A product of a tensor seen as rows, with a weight seen transposed.
  ///
  /// - Returns: Its result, and what its backward reads in place of each operand.
  private mutating func product(_ operation: Operation, _ reads: [Int], into output: Int32) -> (
    Int, [Int]
  ) {
    var operands = reads
    if operands.count > 1 {
      let weight = graph.nodes[reads[1]]
      operands[1] = graph.add(
        "t", .claimed, .viewing, bytes: weight.bytes, inputs: [reads[1]],
        register: weight.register)
    }
    let input = graph.nodes[reads[0]]
    if let known = rows[reads[0]] {
      operands[0] = known
    } else {
      operands[0] = graph.add(
        "view", .claimed, .viewing, bytes: input.bytes, inputs: [reads[0]],
        register: input.register)
      rows[reads[0]] = operands[0]
    }
    let bytes = program.sizes[Int(output)]
    let result = graph.add(
      operation.name, .claimed, .intensive, bytes: bytes, inputs: operands,
      flops: operation.flops, register: output)
    // Without a bias `matmul` folds and unfolds the rows itself.
    let traits: JointGraph.Traits = operation.name.description == "mm" ? .pointwise : .viewing
    return (
      graph.add("view", .claimed, traits, bytes: bytes, inputs: [result], register: output),
      operands
    )
  }

  /// An operation of one operator; the results of one with several are picked from it.
  private mutating func plainOperation(
    _ operation: Operation, _ reads: [Int], outputs: [Int32], extras: [Int32]
  ) -> Int {
    var traits = JointOperators.traits(of: operation.name)
    let all = outputs + extras
    let flops = operation.unmaskedFLOPs > 0 ? operation.unmaskedFLOPs : operation.flops
    var bytes = 0
    for register in all { bytes = bytes &+ program.sizes[Int(register)] }
    let isView = traits.contains(.view)
    func memory(_ register: Int32) -> Int32 {
      isView ? reads.first.map { graph.nodes[$0].register } ?? register : register
    }
    guard all.count > 1 else {
      return graph.add(
        operation.name, .claimed, traits, bytes: bytes, inputs: reads, flops: flops,
        register: memory(all.first ?? -1))
    }
    traits.insert(.several)
    let whole = graph.add(
      operation.name, .claimed, traits, bytes: bytes, inputs: reads, flops: flops)
    for register in all {
      nodes[register] = graph.add(
        "getitem", .claimed, [.fusible, .listed, .element], bytes: program.sizes[Int(register)],
        inputs: [whole], register: memory(register))
    }
    return whole
  }

  /// What the operation's backward reads.
  private mutating func consume(
    _ operation: Operation, _ mask: UInt8, _ operands: [Int], _ result: Int, outputs: [Int32]
  ) {
    guard mask != 0 else { return }
    let inputs = operation.inputs.map { program.registers[$0] }
    var reads: [Int] = []
    for index in operation.savedInputs where program.saves[index].mask & mask != 0 {
      let register = program.saves[index].register
      guard register >= 0 else { continue }
      reads.append(inputs.firstIndex(of: register).map { operands[$0] } ?? node(register))
    }
    for index in operation.savedOutputs where program.saves[index].mask & mask != 0 {
      let register = program.saves[index].register
      guard register >= 0 else { continue }
      // Autograd saves a result of its own operation as a detached name of it.
      reads.append(
        outputs.contains(register)
          ? graph.add(
            "detach", .unclaimed, bytes: program.sizes[Int(register)], inputs: [node(register)],
            register: register)
          : node(register))
    }
    // The backward of a norm is one kernel that reads the weight and the bias whatever it makes.
    if operation.name.description == "native_layer_norm" { reads += operands.dropFirst() }
    guard !reads.isEmpty else { return }
    for _ in 0..<JointOperators.stepsAhead(operation.name) {
      for (place, read) in reads.enumerated() {
        reads[place] = graph.add(
          operation.name, .unclaimed, .pointwise, bytes: graph.nodes[read].bytes, inputs: [read])
      }
    }
    _ = graph.add(
      operation.name, .backward, JointOperators.fusesBackward(operation.name) ? .pointwise : [],
      bytes: 0, inputs: reads)
  }
}

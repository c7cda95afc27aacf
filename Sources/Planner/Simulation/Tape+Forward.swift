/// Running code forward.
extension Tape {
  /// Runs the code of a section; returns early when a replay has recomputed all that it needs.
  mutating func run(section: Int) {
    for instruction in program.sections[section].instructions {
      switch instruction.code {
      case .allocate:
        registers[Int(instruction.a)] = Register(
          storage: allocate(instruction.bytes, instruction.role, instruction.b), held: true)
      case .allocateForGradient:
        let storage =
          needed(Int(instruction.b)) == 0
          ? -1 : allocate(instruction.bytes, instruction.role, instruction.b)
        registers[Int(instruction.a)] = Register(storage: storage, held: storage >= 0)
      case .release: letGo(instruction.a)
      case .alias:
        let source = registers[Int(instruction.b)]
        retain(source.storage)
        registers[Int(instruction.a)] = Register(
          storage: source.storage, source: source.source, requires: source.requires, held: true)
      case .record: if record(instruction.b) { return }
      case .link: if link(instruction.b) { return }
      case .cache:
        retain(registers[Int(instruction.a)].storage)
        cached.append(registers[Int(instruction.a)].storage)
      case .require:
        registers[Int(instruction.a)].requires = true
        registers[Int(instruction.a)].source = -2 - Int32(inputLeaf)
        requiredInput = registers[Int(instruction.a)].storage
        retain(requiredInput)
      case .layers: runLayers(stream: Int(instruction.a))
      }
    }
  }

  /// A register lets go of its tensor.
  mutating func letGo(_ register: Int32) {
    guard registers[Int(register)].held else { return }
    registers[Int(register)].held = false
    release(registers[Int(register)].storage, -1)
  }

  /// Bit k set: autograd needs the gradient of input k.
  private func needed(_ operation: Int) -> UInt8 {
    guard mode != .off else { return 0 }
    var mask: UInt8 = 0
    var bit: UInt8 = 1
    for index in program.operations[operation].inputs {
      if registers[Int(program.registers[index])].requires { mask |= bit }
      bit <<= 1
    }
    return mask
  }

  /// Autograd makes the operation's node and packs the inputs that it saves.
  ///
  /// - Returns: Whether a replay is done.
  private mutating func record(_ index: Int32) -> Bool {
    let operation = program.operations[Int(index)]
    let mask = needed(Int(index))
    count(operation)
    guard mask != 0 else { return false }
    if mode != .replay {
      nodes.append(
        Node(
          operation: index, edges: Int32(edges.count), saved: Int32(saved.count),
          buffer: Int32(buffers.count), frame: mode == .checkpoint ? frame : -1))
      for input in operation.inputs {
        let register = registers[Int(program.registers[input])]
        edges.append(register.requires ? register.source : -1)
        if register.source == -2 - Int32(inputLeaf) { inputUses += 1 }
      }
    }
    return pack(operation.savedInputs, mask)
  }

  /// The outputs join the graph, and those that backward needs are packed.
  private mutating func link(_ index: Int32) -> Bool {
    let operation = program.operations[Int(index)]
    let mask = needed(Int(index))
    guard mask != 0 else { return false }
    for output in operation.outputs {
      let register = Int(program.registers[output])
      registers[register].requires = true
      registers[register].source = -1
      if mode != .replay {
        registers[register].source = Int32(buffers.count)
        buffers.append(Buffer())
      }
    }
    return pack(operation.savedOutputs, mask)
  }

  private mutating func pack(_ saves: Range<Int>, _ mask: UInt8) -> Bool {
    for index in saves {
      let save = program.saves[index]
      guard save.mask & mask != 0 else { continue }
      let storage = registers[Int(save.register)].storage
      switch mode {
      case .record:
        retain(storage)
        saved.append(storage)
        nodes[nodes.count - 1].savedCount += 1
      case .checkpoint:
        saved.append(frames[Int(frame)].count)
        frames[Int(frame)].count += 1
        nodes[nodes.count - 1].savedCount += 1
      case .replay:
        retain(storage)
        recomputed.append(storage)
        if recomputed.count == Int(frames[Int(frame)].count), earlyStop { return true }
      case .off: break
      }
    }
    return false
  }

  private mutating func count(_ operation: Operation) {
    if recomputes {
      work.recomputed += Int128(operation.flops) * Int128(copies)
      work.recomputedSeconds += operation.seconds * Double(copies)
    } else {
      work.flops += Int128(operation.flops) * Int128(copies)
      work.seconds += operation.seconds * Double(copies)
    }
  }

  // MARK: Layers

  /// Runs all layers over the residual stream.
  private mutating func runLayers(stream: Int) {
    var first = 0
    for cycle in layers.cycles {
      let length = cycle.length
      repeated(cycle.count, first: first, stride: length, stream: stream) {
        (tape: inout Tape, first: Int) in
        var at = first
        for run in cycle.runs {
          tape.repeated(run.count, first: at, stride: 1, stream: stream) {
            (tape: inout Tape, layer: Int) in
            tape.layer(run.kind, at: layer, stream: stream)
          }
          at += run.count
        }
      }
      first += length * cycle.count
    }
    schedule.events.append(Event(kind: .outside))
    marks.append(Mark(kind: .outside, node: nodes.count))
  }

  /// Runs `body` `count` times: the leading ones, one that stands for all in between, and the last.
  private mutating func repeated(
    _ count: Int, first: Int, stride: Int, stream: Int, _ body: (inout Tape, Int) -> Void
  ) {
    let explicit = unrolls ? count : min(count, leading + 2)
    guard count > explicit else {
      for index in 0..<count { body(&self, first + index * stride) }
      return
    }
    for index in 0..<leading { body(&self, first + index * stride) }
    let between = count - leading - 1
    let start = first + leading * stride
    schedule.events.append(
      Event(kind: .repeatBegin, count: Int32(truncatingIfNeeded: between), bytes: stride))
    marks.append(
      Mark(kind: .repeatBegin, node: nodes.count, count: between, layer: start, stride: stride))
    let outer = copies
    copies *= between
    let inner = copies
    body(&self, start)
    marks.append(Mark(kind: .repeatEnd, node: nodes.count, count: between, stride: stride))
    schedule.events.append(Event(kind: .repeatEnd))
    copies = outer
    carry(registers[stream].storage, from: inner)
    body(&self, first + (count - 1) * stride)
  }

  /// One layer: `hidden_states = layer(hidden_states)`.
  private mutating func layer(_ kind: LayerKind, at index: Int, stream: Int) {
    schedule.events.append(Event(kind: .layer, bytes: index))
    marks.append(Mark(kind: .layer, node: nodes.count, layer: index))
    let section = program.sections[kind.section]
    registers[Int(section.input)] = registers[stream]
    registers[Int(section.input)].held = false
    switch kind.retention {
    case .keep: run(section: kind.section)
    case .recompute(reentrant: let reentrant):
      checkpoint(kind.section, input: registers[stream], reentrant: reentrant)
    }
    let output = registers[Int(section.output)]
    registers[Int(section.output)].held = false
    letGo(Int32(stream))
    registers[stream] = output
  }

  /// One layer whose saved tensors are dropped, and recomputed in backward.
  private mutating func checkpoint(_ section: Int, input: Register, reentrant: Bool) {
    var arguments: ContiguousArray<Int32> = [input.storage]
    for register in program.sections[section].arguments {
      arguments.append(registers[Int(register)].storage)
    }
    for argument in arguments { retain(argument) }
    frames.append(Frame(section: section, input: input, arguments: arguments))
    let outer = (mode, frame)
    (mode, frame) = (reentrant ? .off : .checkpoint, Int32(frames.count - 1))
    let index = frames.count - 1
    run(section: section)
    (mode, frame) = outer
    if reentrant, input.requires, mode != .off {
      recordReentrant(index, section: section, input: input)
      return
    }
    frames[index].remaining = frames[index].count
    if frames[index].count == 0 { close(index) }
  }

  /// The one node that a reentrant checkpoint leaves in the graph.
  private mutating func recordReentrant(_ index: Int, section: Int, input: Register) {
    nodes.append(
      Node(
        operation: -1, edges: Int32(edges.count), saved: Int32(saved.count),
        buffer: Int32(buffers.count), frame: Int32(index)))
    edges.append(input.source)
    let output = Int(program.sections[section].output)
    registers[output].requires = true
    registers[output].source = Int32(buffers.count)
    buffers.append(Buffer())
  }

  /// A checkpoint frame lets go of its arguments.
  mutating func close(_ index: Int) {
    for argument in frames[index].arguments { release(argument, -1) }
    frames[index].arguments = []
  }
}

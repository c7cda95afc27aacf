/// Running code forward.
extension Tape {
  /// Runs the code of a section; returns early when a replay has recomputed all that it needs.
  mutating func run(section: Int) {
    run(program.sections[section].instructions, selectedRoles(section))
  }

  /// Runs straight-line code; `roles` say what each instruction is to a selective checkpoint.
  mutating func run(
    _ instructions: ContiguousArray<Instruction>, _ roles: [SavedOperations.Role] = []
  ) {
    for (index, instruction) in instructions.enumerated() {
      let role = roles.isEmpty ? .other : roles[index]
      switch instruction.code {
      case .allocate where role != .other, .allocateForGradient where role != .other:
        allocateSelected(instruction, role)
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
      case .keep:
        let keeps = mode != .checkpoint && mode != .off
        let storage = keeps ? registers[Int(instruction.b)].storage : -1
        retain(storage)
        registers[Int(instruction.a)] = Register(storage: storage, held: keeps)
      case .record:
        let operation = Int(instruction.b)
        if followsOperations {
          distribution?.beforeOperation(operation, isBackward: false, in: &self)
        }
        let isDone = record(instruction.b, taken: role == .saved && mode == .replay)
        if followsOperations {
          distribution?.afterOperation(operation, isBackward: false, in: &self)
        }
        if isDone { return }
      case .link: if link(instruction.b) { return }
      case .hold:
        if needed(Int(instruction.b)) != 0 { hold(registers[Int(instruction.a)].storage) }
      case .cache:
        retain(registers[Int(instruction.a)].storage)
        cached.append(registers[Int(instruction.a)].storage)
      case .require:
        registers[Int(instruction.a)].requires = true
        guard mode != .replay else { break }
        registers[Int(instruction.a)].source = -2 - Int32(inputLeaf) - instruction.b
        requiredInputs[Int(instruction.b)] = registers[Int(instruction.a)].storage
        retain(registers[Int(instruction.a)].storage)
      case .receive: receive(instruction)
      case .layers:
        keptRegister = Int(instruction.b)
        runLayers(stacks[Int(instruction.stack)], stream: Int(instruction.a))
      }
    }
  }

  /// A register lets go of its tensor.
  mutating func letGo(_ register: Int32) {
    guard registers[Int(register)].held else { return }
    registers[Int(register)].held = false
    release(registers[Int(register)].storage, Moment.end.rawValue)
  }

  /// Bit k set: autograd needs the gradient of input k.
  ///
  /// What is asked at every operation is `mutating`: asking a tape that is being changed would copy all of it.
  mutating func needed(_ operation: Int) -> UInt8 {
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
  /// - Parameter taken: Whether a selective checkpoint kept its results, so that it does not run.
  /// - Returns: Whether a replay is done.
  private mutating func record(_ index: Int32, taken: Bool) -> Bool {
    let mask = needed(Int(index))
    guard mask != 0 else {
      if !taken { count(Int(index)) }
      return false
    }
    if mode != .replay, mode != .again {
      nodes.append(
        Node(
          operation: index, edges: Int32(edges.count), saved: Int32(saved.count),
          buffer: Int32(buffers.count),
          frame: mode == .checkpoint ? frame : leavesDevice(index) ? Node.onHost : -1))
      for input in program.operations[Int(index)].inputs {
        let register = registers[Int(program.registers[input])]
        edges.append(register.requires ? register.source : -1)
      }
    }
    if pack(program.operations[Int(index)].savedInputs, mask) { return true }
    if !taken { count(Int(index)) }
    return false
  }

  /// Whether what an operation saves goes to the host; streams leave the head's on the device.
  private mutating func leavesDevice(_ operation: Int32) -> Bool {
    guard savesOnHost else { return false }
    return streams == nil
      || program.operations[Int(operation)].module.description != StreamedOffload.head
  }

  /// The outputs join the graph, and those that backward needs are packed.
  private mutating func link(_ index: Int32) -> Bool {
    let mask = needed(Int(index))
    guard mask != 0 else { return false }
    for output in program.operations[Int(index)].outputs {
      let register = Int(program.registers[output])
      registers[register].requires = true
      registers[register].source = -1
      if mode != .replay, mode != .again {
        registers[register].source = Int32(buffers.count)
        buffers.append(Buffer())
      }
    }
    return pack(program.operations[Int(index)].savedOutputs, mask)
  }

  private mutating func pack(_ saves: Range<Int>, _ mask: UInt8) -> Bool {
    for index in saves {
      let save = program.saves[index]
      guard save.mask & mask != 0 else { continue }
      let storage = save.register < 0 ? -1 : registers[Int(save.register)].storage
      switch mode {
      case .record where nodes[nodes.count - 1].frame == Node.onHost:
        saved.append(
          keepOnHost(
            storage, bytes: save.bytes, isWeight: save.register >= 0 && storage < 0,
            isTransposed: save.isTransposed, nodes[nodes.count - 1].operation))
        nodes[nodes.count - 1].savedCount += 1
      case .record:
        retain(storage)
        saved.append(storage)
        nodes[nodes.count - 1].savedCount += 1
      case .checkpoint:
        saved.append(frames[Int(frame)].count)
        frames[Int(frame)].count += 1
        if frames[Int(frame)].plan != nil { frames[Int(frame)].saved.append(save.register) }
        nodes[nodes.count - 1].savedCount += 1
      case .replay:
        retain(storage)
        recomputed.append(storage)
        if recomputed.count == Int(frames[Int(frame)].count), earlyStop { return true }
      case .again, .off: break
      }
    }
    return false
  }

  private mutating func count(_ operation: Int) {
    let time = program.operations[operation].time
    let flops = program.operations[operation].flops
    if timed {
      spans.append(
        Span(
          event: schedule.events.count, operation: Int32(truncatingIfNeeded: operation),
          again: recomputes, seconds: time.seconds * Double(copies)))
    }
    if recomputes {
      work.recomputedTime.add(time, times: Double(copies))
    } else {
      work.time.add(time, times: Double(copies))
    }
    if let exchange = program.operations[operation].exchange {
      communicate(exchange.collective, exchange.payload, among: exchange.ranks, waits: true)
    }
    guard flops != 0 else { return }
    let total = Int128(flops) &* Int128(copies)
    if recomputes { work.recomputed &+= total } else { work.flops &+= total }
  }

  // MARK: Layers

  /// Runs all layers of a stack over the residual stream.
  private mutating func runLayers(_ stack: LayerRuns, stream: Int) {
    marks.append(Mark(kind: .outside, node: nodes.count))
    let last = stack.sharesGradients ? 2 : 0
    var first = stack.first
    for cycle in stack.sequence.cycles {
      let length = cycle.length
      repeated(cycle.count, last: last, first: first, stride: length, stream: stream) {
        (tape: inout Tape, first: Int) in
        var at = first
        for run in cycle.runs {
          tape.repeated(run.count, last: last, first: at, stride: 1, stream: stream) {
            (tape: inout Tape, layer: Int) in
            tape.layer(run.kind, at: layer, stream: stream)
          }
          at += run.count
        }
      }
      first += length * cycle.count
    }
    schedule.events.append(Event(kind: .outside))
  }

  /// Runs `body` `count` times: the first, one that stands for all others, and the `last` ones.
  ///
  /// The first copy differs: its input is the embedding's output, which the model holds. Where that needs no
  /// gradient the second one differs too: it is the last in backward to hold what all layers share.
  ///
  /// The last two differ where layers add up the gradient of a tensor that they share: going backward the first
  /// one makes it, and the next one may have to copy it.
  private mutating func repeated(
    _ count: Int, last: Int, first: Int, stride: Int, stream: Int,
    _ body: (inout Tape, Int) -> Void
  ) {
    let ahead = registers[stream].requires || mode == .off ? 1 : 2
    let explicit = min(count, unrolls ? count : ahead)
    for index in 0..<explicit { body(&self, first + index * stride) }
    let differs = distribution?.lastLayerDiffers == true || endsInLayers
    let last = differs ? max(last, 1) : last
    let rest = max(0, count - explicit - last)
    if rest == 1 { body(&self, first + explicit * stride) }
    if rest > 1 {
      fold(rest, first: first + explicit * stride, stride: stride, stream: stream, body)
    }
    for index in explicit + rest..<count { body(&self, first + index * stride) }
  }

  /// Runs `body` once for `count` copies.
  private mutating func fold(
    _ count: Int, first: Int, stride: Int, stream: Int, _ body: (inout Tape, Int) -> Void
  ) {
    schedule.events.append(
      Event(kind: .repeatBegin, count: Int32(truncatingIfNeeded: count), bytes: stride))
    marks.append(Mark(kind: .repeatBegin, node: nodes.count, count: count, stride: stride))
    let outer = copies
    copies *= count
    body(&self, first)
    marks.append(Mark(kind: .repeatEnd, node: nodes.count, count: count, stride: stride))
    schedule.events.append(Event(kind: .repeatEnd))
    carry(registers[stream].storage, from: copies, to: outer)
    if keptRegister >= 0 { carry(registers[keptRegister].storage, from: copies, to: outer) }
    distribution?.carry(from: copies, to: outer, in: &self)
    copies = outer
  }

  /// One layer: `hidden_states = layer(hidden_states)`.
  private mutating func layer(_ kind: LayerKind, at index: Int, stream: Int) {
    schedule.events.append(Event(kind: .layer, bytes: index))
    let section = program.sections[kind.section]
    registers[Int(section.input)] = registers[stream]
    registers[Int(section.input)].held = false
    if let distribution {
      marks.append(
        Mark(
          kind: .layerBegin, node: nodes.count, layer: index, section: kind.section,
          requires: registers[stream].requires))
      distribution.beforeForward(kind.section, in: &self)
    }
    switch kind.retention {
    case .keep: run(section: kind.section)
    case .recompute(reentrant: let reentrant):
      checkpoint(kind.section, input: registers[stream], reentrant: reentrant)
    case .minCut(let budget):
      keepMinCut(kind.section, input: registers[stream], budget: budget)
    case .selective(let operations):
      checkpoint(
        kind.section, input: registers[stream], reentrant: false, keeping: operations)
    }
    distribution?.afterForward(kind.section, in: &self)
    let output = registers[Int(section.output)]
    registers[Int(section.output)].held = false
    if keptRegister >= 0, section.kept >= 0 {
      let kept = registers[Int(section.kept)]
      registers[Int(section.kept)].held = false
      letGo(Int32(keptRegister))
      registers[keptRegister] = kept
    }
    letGo(Int32(stream))
    registers[stream] = output
    marks.append(
      Mark(
        kind: .layer, node: nodes.count, layer: index, section: kind.section,
        requires: output.requires, output: output.source))
  }

  /// One layer whose saved tensors are dropped, and recomputed in backward.
  private mutating func checkpoint(
    _ section: Int, input: Register, reentrant: Bool, keeping operations: SavedOperations? = nil
  ) {
    // The input is what the checkpoint saves; everything else it holds by reference.
    let packed = savesOnHost && input.storage >= 0 && mode == .record
    var arguments: ContiguousArray<Int32> = [packed ? -1 : input.storage]
    let positional = program.sections[section].positional
    for register in program.sections[section].arguments {
      if packed, positional.contains(register) { continue }
      arguments.append(registers[Int(register)].storage)
    }
    for argument in arguments { retain(argument) }
    frames.append(
      Frame(section: section, input: input, arguments: arguments, operations: operations))
    if packed {
      packInput(of: frames.count - 1, input.storage)
    }
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
        operation: Moment.checkpoint.rawValue, edges: Int32(edges.count), saved: Int32(saved.count),
        buffer: Int32(buffers.count), frame: Int32(index)))
    edges.append(input.source)
    let output = Int(program.sections[section].output)
    registers[output].requires = true
    registers[output].source = Int32(buffers.count)
    buffers.append(Buffer())
  }

  /// A checkpoint frame lets go of its arguments.
  mutating func close(_ index: Int) {
    for argument in frames[index].arguments { release(argument, Moment.end.rawValue) }
    frames[index].arguments = []
    for result in frames[index].results { release(result, Moment.end.rawValue) }
    frames[index].results = []
  }
}

/// Running the recorded operations backward.
///
/// Nodes run in the reverse order of their making, which is the order of PyTorch's engine: the ready node with the
/// highest sequence number goes first, and a node's users all have higher ones.
extension Tape {
  /// Backward from the loss to the weights.
  mutating func backward() {
    let loss = registers[Int(program.loss)]
    guard loss.requires, loss.source >= 0 else { return }
    let seed = allocate(lossBytes, .other, Moment.lossGradient.rawValue)
    propagate(seed)
    release(seed, Moment.end.rawValue)
  }

  /// Backward from a gradient of the program's result to the weights; whoever calls it lets go of the gradient.
  mutating func propagate(_ seed: Int32) {
    let loss = registers[Int(program.loss)]
    guard loss.requires, loss.source >= 0 else { return }
    retain(seed)
    distribution?.beforeBackward(0, in: &self)
    buffers[Int(loss.source)] = Buffer(storage: seed, view: false)
    layerOffset = 0
    backward(downTo: 0, marksDownTo: 0)
    distribution?.endBackward(in: &self)
    // The node that accumulates the gradient of a tensor made a leaf holds both, and dies with the graph.
    for input in requiredInputs.indices {
      let gradient = leaves[inputLeaf + input].buffer.storage
      leaves[inputLeaf + input] = LeafBuffer()
      if requiredInputs[input] < 0 {
        sentGradient = gradient
        continue
      }
      if gradient >= 0 { graphHeld(gradient) }
      if requiredInputs[input] >= 0 { graphHeld(requiredInputs[input]) }
      requiredInputs[input] = -1
    }
    endStreamed()
    for storage in heldByNodes { graphHeld(storage) }
    heldByNodes.removeAll(keepingCapacity: true)
  }

  /// The loss is a scalar of the format that it was computed in.
  var lossBytes: Int { storages[Int(registers[Int(program.loss)].storage)].bytes }

  /// Runs the nodes above `floor`.
  private mutating func backward(downTo floor: Int, marksDownTo markFloor: Int) {
    var mark = marks.count - 1
    var node = nodes.count - 1
    while node >= floor || mark >= markFloor {
      while mark >= markFloor, marks[mark].node > node {
        pass(marks[mark])
        mark -= 1
      }
      guard node >= floor else { break }
      execute(node)
      node -= 1
    }
  }

  /// Backward passes a mark: the ends of repetitions are their beginnings.
  private mutating func pass(_ mark: Mark) {
    switch mark.kind {
    case .repeatEnd:
      schedule.events.append(
        Event(
          kind: .repeatBegin, count: Int32(truncatingIfNeeded: mark.count), bytes: -mark.stride))
      copies *= mark.count
      layerOffset += (mark.count - 1) * mark.stride
    case .repeatBegin:
      schedule.events.append(Event(kind: .repeatEnd))
      let inner = copies
      copies /= mark.count
      layerOffset -= (mark.count - 1) * mark.stride
      // Gradients on their way to what lies before the repetition.
      let before = mark.node < nodes.count ? Int(nodes[mark.node].buffer) : buffers.count
      for index in 0..<before { carry(buffers[index].storage, from: inner, to: copies) }
      distribution?.carry(from: inner, to: copies, in: &self)
    case .layer:
      schedule.events.append(Event(kind: .layer, bytes: mark.layer + layerOffset))
      guard mark.requires, let distribution else { break }
      arrivedGradient = mark.output >= 0 ? buffers[Int(mark.output)].storage : -1
      distribution.beforeBackward(mark.section, in: &self)
    case .layerBegin:
      distribution?.afterBackward(mark.section, reachesInput: mark.requires, in: &self)
    case .outside: schedule.events.append(Event(kind: .outside))
    }
  }

  /// One node: makes the gradients of its inputs, lets go of what it holds, hands the gradients on.
  private mutating func execute(_ index: Int) {
    let node = nodes[index]
    if node.operation < 0 { return executeReentrant(node) }
    let operation = program.operations[Int(node.operation)]
    let outputs = Int(node.buffer)..<Int(node.buffer) + operation.outputs.count
    let incoming = buffers[outputs.lowerBound]
    guard hasGradient(outputs) else { return splitsBackward ? () : skip(node) }
    buffers[outputs.lowerBound] = Buffer()
    if followsOperations {
      distribution?.beforeOperation(Int(node.operation), isBackward: true, in: &self)
    }
    streams?.running = index
    if node.frame >= 0, node.savedCount > 0, !recompute(for: node) { replay(Int(node.frame)) }
    if node.frame == Node.onHost { fetch(node) }

    var made = (Buffer(), Buffer(), Buffer(), Buffer(), Buffer())
    let inputs = operation.inputs.count
    var mask: UInt8 = 0
    for input in 0..<inputs where edges[Int(node.edges) + input] != -1 { mask |= 1 << input }
    if splitsBackward { mask &= ~holdForWeights(index, incoming) }
    var settled = node.frame == -1
    if let exchange = operation.backwardExchange {
      communicate(exchange.collective, exchange.payload, among: exchange.ranks)
    }
    if timed { note(node.operation, operation, mask) }
    for step in program.steps[operation.steps] where step.mask & mask != 0 {
      if step.flops != 0 { work.flops &+= Int128(step.flops) &* Int128(copies) }
      work.time.add(step.time, times: Double(copies))
      switch step.kind {
      case .gradient:
        Self.set(
          &made, step.index,
          Buffer(
            storage: allocateGradient(step, of: node), view: step.view,
            wrapped: step.wrapped, bytes: step.extra))
      case .pass:
        let gradient = step.extra == 0 ? incoming : buffers[outputs.lowerBound + step.extra]
        retain(gradient.storage)
        Self.set(
          &made, step.index,
          Buffer(
            storage: gradient.storage, view: step.view || gradient.view, wrapped: step.wrapped))
      case .reuse:
        let storage = savedStorage(step.extra, of: node)
        retain(storage)
        Self.set(&made, step.index, Buffer(storage: storage, view: step.view))
      case .share:
        let storage = temporaries[step.extra]
        retain(storage)
        Self.set(&made, step.index, Buffer(storage: storage, view: true))
      case .allocate:
        temporaries[Int(step.index)] = allocate(step.bytes, step.role, node.operation)
        if letGoOfSteps(of: node, upTo: step.index) { settled = true }
      case .free: release(temporaries[Int(step.index)], node.operation)
      case .settle:
        letGoOfRecomputed(node)
        settled = true
      case .reduce:
        let sum = allocate(step.bytes, step.role, node.operation)
        if step.extra > 0 {
          release(allocate(step.extra, .workspace, node.operation), node.operation)
        }
        release(Self.get(made, step.index).storage, node.operation)
        Self.set(&made, step.index, Buffer(storage: sum, wrapped: step.wrapped))
      case .convert:
        let copy = allocate(step.bytes, step.role, node.operation)
        release(Self.get(made, step.index).storage, node.operation)
        Self.set(&made, step.index, Buffer(storage: copy, wrapped: step.wrapped))
      }
    }
    if !settled { letGoOfRecomputed(node) }
    if streams != nil { endStreamed(index, node.operation) }
    release(incoming.storage, node.operation)
    for output in outputs.dropFirst() {
      release(buffers[output].storage, node.operation)
      buffers[output] = Buffer()
    }
    if !splitsBackward { letGoOfSaved(node) }
    for input in 0..<inputs {
      deliver(Self.get(made, UInt8(input)), to: edges[Int(node.edges) + input], node.operation)
    }
    for input in 0..<inputs { complete(edges[Int(node.edges) + input], node.operation) }
    if followsOperations {
      distribution?.afterOperation(Int(node.operation), isBackward: true, in: &self)
    }
  }

  /// An operation's backward begins.
  private mutating func note(_ index: Int32, _ operation: Operation, _ mask: UInt8) {
    var seconds = 0.0
    for step in program.steps[operation.steps] where step.mask & mask != 0 {
      seconds += step.time.seconds
    }
    spans.append(
      Span(event: schedule.events.count, operation: index, isBackward: true, seconds: seconds))
  }

  /// A saved tensor of a node: its own, or what a checkpoint recomputed for it.
  private mutating func savedStorage(_ index: Int, of node: Node) -> Int32 {
    let entry = saved[Int(node.saved) + index]
    guard node.frame >= 0 else { return entry }
    if frames[Int(node.frame)].plan != nil {
      let register = frames[Int(node.frame)].saved[Int(entry)]
      return register >= 0 ? registers[Int(register)].storage : -1
    }
    return Int(entry) < recomputed.count ? recomputed[Int(entry)] : -1
  }

  /// Whether the gradient of any of a node's outputs has arrived.
  private mutating func hasGradient(_ outputs: Range<Int>) -> Bool {
    for output in outputs where buffers[output].storage >= 0 { return true }
    return false
  }

  /// The gradients of an operation's inputs, at most five.
  typealias Made = (Buffer, Buffer, Buffer, Buffer, Buffer)

  static func get(_ made: Made, _ index: UInt8) -> Buffer {
    switch index {
    case 0: made.0
    case 1: made.1
    case 2: made.2
    case 3: made.3
    default: made.4
    }
  }

  static func set(
    _ made: inout Made, _ index: UInt8, _ buffer: Buffer
  ) {
    switch index {
    case 0: made.0 = buffer
    case 1: made.1 = buffer
    case 2: made.2 = buffer
    case 3: made.3 = buffer
    default: made.4 = buffer
    }
  }

  /// What a checkpoint recomputed for the node dies as soon as its operator returns.
  private mutating func letGoOfRecomputed(_ node: Node) {
    if node.frame == Node.onHost { return letGoOfFetched(node) }
    guard node.frame >= 0, !letGoOfRead(node) else { return }
    for index in node.saved..<node.saved + node.savedCount {
      let place = Int(saved[Int(index)])
      guard place < recomputed.count else { continue }
      release(recomputed[place], node.operation)
      recomputed[place] = -1
    }
  }

  /// The node lets go of its saved tensors, and of its share of a checkpoint frame.
  mutating func letGoOfSaved(_ node: Node) {
    if node.frame >= 0 {
      frames[Int(node.frame)].remaining -= node.savedCount
      if frames[Int(node.frame)].remaining == 0, node.savedCount > 0 { close(Int(node.frame)) }
      return
    }
    if node.frame == Node.onHost { return }
    for index in node.saved..<node.saved + node.savedCount {
      release(saved[Int(index)], node.operation)
    }
  }

  /// A gradient arrives in the buffer of what made the input, or of a weight.
  mutating func deliver(_ gradient: Buffer, to source: Int32, _ operation: Int32) {
    guard gradient.storage >= 0 else { return }
    if source == -1 { return release(gradient.storage, operation) }
    if source >= 0 {
      buffers[Int(source)] = sum(buffers[Int(source)], gradient, operation)
    } else {
      let leaf = Int(-2 - source)
      leaves[leaf].buffer = sum(leaves[leaf].buffer, gradient, operation)
      leaves[leaf].arrived += 1
    }
  }

  /// The engine's rule: in place unless the tensor there is a view or somebody else holds it.
  private mutating func sum(_ old: Buffer, _ new: Buffer, _ operation: Int32) -> Buffer {
    guard old.storage >= 0 else { return new }
    countSum(storages[Int(new.storage)].bytes)
    if !old.view, !old.wrapped, storages[Int(old.storage)].references == 1 {
      release(new.storage, operation)
      return old
    }
    let whole = storages[Int(old.storage)]
    let total = allocate(old.bytes > 0 ? old.bytes : whole.bytes, whole.role, operation)
    release(old.storage, operation)
    release(new.storage, operation)
    return Buffer(storage: total, wrapped: old.wrapped)
  }

  /// `AccumulateGrad`: once all gradients of a weight have arrived, `.grad` takes the buffer or adds it.
  mutating func complete(_ source: Int32, _ operation: Int32) {
    guard source <= -2 else { return }
    let leaf = Int(-2 - source)
    guard leaf < program.leaves.count, leaves[leaf].arrived == program.leaves[leaf].uses else {
      return
    }
    let buffer = leaves[leaf].buffer
    leaves[leaf] = LeafBuffer()
    if let distribution {
      distribution.receive(buffer.storage, of: leaf, in: &self)
    } else if leaf < updates.count, let update = updates[leaf] {
      if unrolls {
        schedule.events.append(Event(kind: .update, count: Int32(truncatingIfNeeded: leaf)))
      }
      schedule.events += update
      lastFreed = storages[Int(buffer.storage)].bytes
      release(buffer.storage, operation)
    } else if accumulates {
      countSum(storages[Int(buffer.storage)].bytes)
      release(buffer.storage, operation)
    } else {
      gradients.append(buffer.storage)
      gradientLeaves.append(Int32(truncatingIfNeeded: leaf))
    }
  }

  // MARK: Checkpoints

  /// The first node of a checkpointed layer to need a saved tensor runs the layer again.
  private mutating func replay(_ index: Int) {
    guard !frames[index].replayed else { return }
    frames[index].replayed = true
    recomputed.removeAll(keepingCapacity: true)
    let held = heldByNodes.count
    let (outerMode, outerFrame, outerCache) = (mode, frame, cached)
    (mode, frame, recomputes, cached) = (.replay, Int32(index), true, [])
    let section = program.sections[frames[index].section]
    fetchInput(of: index)
    registers[Int(section.input)] = frames[index].input
    registers[Int(section.input)].held = false
    run(section: frames[index].section)
    for register in section.registers { letGo(register) }
    letGoOfHeld(downTo: held)
    letGoOfFetchedInput(of: index)
    for copy in cached { release(copy, Moment.end.rawValue) }
    (mode, frame, recomputes, cached) = (outerMode, outerFrame, false, outerCache)
  }

  /// A reentrant checkpoint: the layer runs again with autograd on, then its own backward.
  private mutating func executeReentrant(_ node: Node) {
    let incoming = buffers[Int(node.buffer)]
    guard incoming.storage >= 0 else { return close(Int(node.frame)) }
    buffers[Int(node.buffer)] = Buffer()
    let index = Int(node.frame)
    let section = program.sections[frames[index].section]
    let (floor, markFloor, held) = (nodes.count, marks.count, heldByNodes.count)
    let (edgeFloor, savedFloor, bufferFloor) = (edges.count, saved.count, buffers.count)
    let outerCache = cached
    (recomputes, cached) = (true, [])
    // The input is detached: a leaf of its own, whose gradient is handed on at the end.
    let detached = Int32(buffers.count)
    buffers.append(Buffer())
    fetchInput(of: index)
    registers[Int(section.input)] = frames[index].input
    registers[Int(section.input)].held = false
    registers[Int(section.input)].source = detached
    // The hooks that copy to the host were around the forward alone.
    let outerSaves = savesOnHost
    savesOnHost = false
    run(section: frames[index].section)
    savesOnHost = outerSaves
    for copy in cached { release(copy, Moment.end.rawValue) }
    (recomputes, cached) = (false, outerCache)
    // The checkpoint's own backward holds the incoming gradient until the layer's is done.
    let output = registers[Int(section.output)]
    if output.source >= 0 {
      retain(incoming.storage)
      buffers[Int(output.source)] = incoming
    }
    backward(downTo: floor, marksDownTo: markFloor)
    release(incoming.storage, node.operation)
    for register in section.registers { letGo(register) }
    letGoOfHeld(downTo: held)
    letGoOfFetchedInput(of: index)
    let gradient = buffers[Int(detached)]
    nodes.removeSubrange(floor...)
    marks.removeSubrange(markFloor...)
    edges.removeSubrange(edgeFloor...)
    saved.removeSubrange(savedFloor...)
    buffers.removeSubrange(bufferFloor...)
    distribution?.afterReentrant(
      frames[index].section, input: frames[index].input.storage, gradient: gradient.storage,
      in: &self)
    // The node keeps the call's keyword arguments for as long as it exists.
    for argument in frames[index].arguments.dropFirst() { graphHeld(argument) }
    frames[index].arguments.removeLast(max(0, frames[index].arguments.count - 1))
    close(index)
    let source = edges[Int(node.edges)]
    deliver(gradient, to: source, node.operation)
    complete(source, node.operation)
  }
}

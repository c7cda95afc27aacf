/// Backward in two passes: the gradients of activations, and those of weights later.
///
/// The first pass keeps the graph, and what reached each operation that takes a weight. The second takes the weights in
/// their order: it copies what is kept, computes, and lets go of the operation; names of its loop hold the copy, what
/// was kept and the gradient of one weight until those of the next are there.
///
/// Source: `stage_backward_input` and `stage_backward_weight` in `torch/distributed/pipelining/_backward.py`,
/// PyTorch 2.11.
extension Tape {
  /// From here backward makes the gradients of activations alone.
  mutating func beginSplit() {
    splitsBackward = true
    heldForWeights.removeAll(keepingCapacity: true)
  }

  /// Keeps what reached an operation that takes weights.
  ///
  /// - Returns: Bit k set: input k is a weight.
  mutating func holdForWeights(_ index: Int, _ incoming: Buffer) -> UInt8 {
    let weights = weights(of: index)
    guard weights != 0 else { return 0 }
    retain(incoming.storage)
    heldForWeights.append((index, incoming.storage))
    return weights
  }

  private mutating func weights(of index: Int) -> UInt8 {
    let node = nodes[index]
    guard node.operation >= 0 else { return 0 }
    var mask: UInt8 = 0
    for input in 0..<program.operations[Int(node.operation)].inputs.count {
      let source = edges[Int(node.edges) + input]
      if source <= -2, Int(-2 - source) < inputLeaf { mask |= 1 << input }
    }
    return mask
  }

  /// What lies behind the last operation with a weight is not needed any more: the result is detached.
  mutating func endFirstPass() {
    splitsBackward = false
    let last = heldForWeights.first?.node ?? -1
    for index in nodes.indices.reversed() where index > last { letGoOfSaved(nodes[index]) }
  }

  /// The names of the second pass's loop.
  private struct Names {
    var gradient: Int32 = -1
    var copy: Int32 = -1
    var result: Int32 = -1
  }

  /// The gradients of weights.
  mutating func finishSplit() {
    var names = Names()
    var kept: [Int: Int32] = [:]
    for (node, gradient) in heldForWeights { kept[node] = gradient }
    var left = heldForWeights.map(\.node).sorted()
    var alive = (left.last ?? -1) + 1
    var start = 0
    for mark in marks + [Mark(kind: .outside, node: nodes.count)] {
      let group = (start..<mark.node).filter { kept[$0] != nil }
      for node in group.sorted(by: { leaf(of: $0) < leaf(of: $1) }) {
        weightGradient(of: node, kept[node] ?? -1, &names)
        if let place = left.lastIndex(of: node) { left.remove(at: place) }
        let top = left.last ?? -1
        while alive - 1 > top {
          alive -= 1
          if kept[alive] == nil { letGoOfSaved(nodes[alive]) }
        }
      }
      start = max(start, mark.node)
      pass(forward: mark, &names)
    }
    for storage in [names.gradient, names.copy, names.result] {
      release(storage, Moment.end.rawValue)
    }
    heldForWeights.removeAll(keepingCapacity: true)
  }

  private mutating func leaf(of index: Int) -> Int32 {
    let node = nodes[index]
    var least = Int32.max
    for input in 0..<program.operations[Int(node.operation)].inputs.count {
      let source = edges[Int(node.edges) + input]
      if source <= -2 { least = min(least, -2 - source) }
    }
    return least
  }

  /// A mark in the direction of forward.
  private mutating func pass(forward mark: Mark, _ names: inout Names) {
    switch mark.kind {
    case .repeatBegin:
      schedule.events.append(
        Event(
          kind: .repeatBegin, count: Int32(truncatingIfNeeded: mark.count), bytes: mark.stride))
      copies *= mark.count
    case .repeatEnd:
      schedule.events.append(Event(kind: .repeatEnd))
      let inner = copies
      copies /= mark.count
      for storage in [names.gradient, names.copy, names.result] {
        carry(storage, from: inner, to: copies)
      }
    case .layer, .layerBegin, .outside: break
    }
  }

  private mutating func weightGradient(
    of index: Int, _ gradient: Int32, _ names: inout Names
  ) {
    let node = nodes[index]
    let operation = program.operations[Int(node.operation)]
    let mask = weights(of: index)
    release(names.gradient, node.operation)
    let bytes = gradient >= 0 ? storages[Int(gradient)].bytes : 0
    let copy = allocate(bytes, .activations, node.operation)
    release(names.copy, node.operation)
    (names.gradient, names.copy) = (gradient, copy)
    var made = (Buffer(), Buffer(), Buffer(), Buffer(), Buffer())
    for step in program.steps[operation.steps] where step.mask & mask != 0 {
      if step.flops != 0 { work.flops &+= Int128(step.flops) &* Int128(copies) }
      work.time.add(step.time, times: Double(copies))
      let old = Self.get(made, step.index).storage
      switch step.kind {
      case .gradient, .convert, .reduce:
        let new = allocate(step.bytes, step.role, node.operation)
        if step.kind != .gradient {
          if step.kind == .reduce, step.extra > 0 {
            release(allocate(step.extra, .workspace, node.operation), node.operation)
          }
          release(old, node.operation)
        }
        Self.set(&made, step.index, Buffer(storage: new, view: step.view))
      case .pass:
        retain(copy)
        Self.set(&made, step.index, Buffer(storage: copy, view: true))
      case .allocate:
        temporaries[Int(step.index)] = allocate(step.bytes, step.role, node.operation)
      case .free: release(temporaries[Int(step.index)], node.operation)
      case .share:
        let storage = temporaries[step.extra]
        retain(storage)
        Self.set(&made, step.index, Buffer(storage: storage, view: true))
      case .reuse, .settle: break
      }
    }
    letGoOfSaved(node)
    var results: [Int32] = []
    for input in 0..<operation.inputs.count {
      let buffer = Self.get(made, UInt8(input))
      guard buffer.storage >= 0 else { continue }
      guard mask >> input & 1 == 1 else {
        release(buffer.storage, node.operation)
        continue
      }
      // The loop's name holds it while the next one is made.
      retain(buffer.storage)
      results.append(buffer.storage)
      deliver(buffer, to: edges[Int(node.edges) + input], node.operation)
    }
    release(names.result, node.operation)
    names.result = results.last ?? -1
    for result in results.dropLast() { release(result, node.operation) }
    for input in 0..<operation.inputs.count {
      complete(edges[Int(node.edges) + input], node.operation)
    }
  }
}

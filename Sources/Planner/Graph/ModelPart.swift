/// Consecutive layers of a model that run as a unit: one stage of a pipeline.
struct ModelPart: Hashable, Sendable {
  /// Its layers, counted through the model.
  var layers: Range<Int>
  /// Whether it begins with what precedes the layers: token ids come in, not hidden states.
  var hasEmbedding: Bool
  /// Whether it ends with what follows the layers: the loss comes out, not hidden states.
  var hasHead: Bool

  /// Whether another part reads and writes the same sizes.
  var kind: Kind { Kind(hasEmbedding: hasEmbedding, hasHead: hasHead) }

  /// What a part has besides layers.
  struct Kind: Hashable, Sendable {
    var hasEmbedding: Bool
    var hasHead: Bool
  }
}

extension LayerGraph {
  /// The graph of a part of the model.
  ///
  /// What precedes the layers and reads weights, or what such code made, is the embedding; the rest (positions, rotary
  /// tables, masks) runs on every part, as in torchtitan, whose parts are the model with modules left out. Without the
  /// embedding the residual stream is received (``Instruction/Code/receive``); without the head it is the result, in
  /// the loss's place (``Program/loss``). Operations keep their numbers. A weight that embedding and head share is in
  /// both parts.
  ///
  /// Source: `pipeline_module_split` in torchtitan's `torchtitan/distributed/pipeline_parallel.py`.
  ///
  /// - Throws: ``PlanError`` where the model is not one stack of layers.
  func part(_ part: ModelPart) throws(PlanError) -> LayerGraph {
    guard stacks.count == 1, let cut = StageCut(program, part) else {
      throw PlanError(
        .unsupported, "a model of two stacks of layers cannot be cut into a pipeline",
        path: "strategies.pipeline_parallel",
        fix: "Leave \"pipeline_parallel\" out, or use a decoder.")
    }
    var graph = self
    graph.program = cut.program
    graph.stacks = [stacks[0].slice(part.layers)]
    graph.firstLayer = firstLayer + part.layers.lowerBound
    if !part.hasEmbedding, !part.hasHead { graph.inputs = [] }
    return graph
  }
}

extension LayerStack {
  /// So many of its layers.
  func slice(_ range: Range<Int>) -> LayerStack {
    var slice = self
    slice.layers = range.count
    let ahead = leading?.count ?? 0
    let leadingLeft = max(0, min(ahead, range.upperBound) - range.lowerBound)
    slice.leading = leadingLeft > 0 ? leading : nil
    slice.leading?.count = leadingLeft
    if !pattern.isEmpty {
      let turn = max(0, range.lowerBound - ahead) % pattern.count
      slice.pattern = Array(pattern[turn...] + pattern[..<turn])
    }
    return slice
  }
}

/// Leaves out of a program what a part of the model does not run.
private struct StageCut {
  private(set) var program: Program
  /// Operations that do not run any more.
  private var dropped: Set<Int> = []
  /// The instruction that runs the layers.
  private let layers: Int
  /// The residual stream.
  private let stream: Int32

  init?(_ whole: Program, _ part: ModelPart) {
    program = whole
    guard let at = whole.sections[0].instructions.firstIndex(where: { $0.code == .layers }) else {
      return nil
    }
    layers = at
    stream = whole.sections[0].instructions[at].a
    let (ahead, embedding) = precedingLayers(keepsEmbedding: part.hasEmbedding)
    let behind = followingLayers(keepsHead: part.hasHead, without: embedding)
    let run = program.sections[0].instructions[layers]
    program.sections[0].instructions = ahead + [run] + behind
    if part.hasHead { returnBeforeLoss() }
    keepWeights(of: part)
    if !part.hasHead {
      program.loss = stream
      (program.heldOutput, program.alsoHeld) = (-1, -1)
    }
  }

  /// What runs ahead of the layers, and the registers of the embedding where it is left out.
  private mutating func precedingLayers(keepsEmbedding: Bool)
    -> (kept: ContiguousArray<Instruction>, embedding: Set<Int32>)
  {
    let instructions = program.sections[0].instructions[..<layers]
    guard !keepsEmbedding else { return (ContiguousArray(instructions), []) }
    var embedding = Set(program.leaves.map(\.register))
    var sizes: [Int32: Int] = [:]
    var kept: ContiguousArray<Instruction> = [
      Instruction(code: .receive, a: stream, b: program.requirements)
    ]
    program.requirements += 1
    for instruction in instructions {
      sizes[instruction.a] =
        instruction.code == .alias
        ? sizes[instruction.b] : max(sizes[instruction.a] ?? 0, instruction.bytes)
      switch instruction.code {
      case .allocate, .allocateForGradient, .record, .link, .hold:
        let operation = Int(instruction.b)
        if operation >= 0, reads(operation, embedding) {
          dropped.insert(operation)
          embedding.formUnion(program.registers[program.operations[operation].outputs])
          if instruction.code != .record, instruction.code != .link {
            embedding.insert(instruction.a)
          }
          continue
        }
      case .alias, .keep:
        if embedding.contains(instruction.b) || instruction.a == stream {
          embedding.insert(instruction.a)
          continue
        }
      case .release, .cache, .require, .receive, .layers:
        if embedding.contains(instruction.a) || instruction.a == stream { continue }
      }
      kept.append(instruction)
    }
    kept[0].bytes = sizes[stream] ?? 0
    return (kept, embedding)
  }

  private func reads(_ operation: Int, _ registers: Set<Int32>) -> Bool {
    program.registers[program.operations[operation].inputs].contains { registers.contains($0) }
  }

  /// What runs behind the layers; without the head only names that forward held till then end.
  private mutating func followingLayers(keepsHead: Bool, without embedding: Set<Int32>)
    -> ContiguousArray<Instruction>
  {
    let all = program.sections[0].instructions
    var made: Set<Int32> = [all[layers].b]
    for instruction in all[..<layers] {
      if instruction.code != .record, instruction.code != .link { made.insert(instruction.a) }
    }
    var kept: ContiguousArray<Instruction> = []
    for instruction in all[(layers + 1)...] {
      if instruction.code == .release {
        if instruction.a != stream, embedding.contains(instruction.a) { continue }
        if !keepsHead, instruction.a == stream || !made.contains(instruction.a) { continue }
      } else if !keepsHead {
        let code = instruction.code
        if code == .record || code == .link || code == .allocate {
          dropped.insert(Int(instruction.b))
        }
        continue
      }
      kept.append(instruction)
    }
    return kept
  }

  /// The model returns its logits to the schedule, which computes the loss: names of the model end ahead of it.
  private mutating func returnBeforeLoss() {
    let instructions = program.sections[0].instructions
    let logits = program.heldOutput
    guard logits >= 0,
      let made = instructions.lastIndex(where: { $0.code == .allocate && $0.a == logits }),
      let end = instructions[made...].firstIndex(where: { $0.code == .link })
    else { return }
    let before = Set(instructions[...end].map(\.a))
    let ending = instructions[(end + 1)...].filter {
      $0.code == .release && $0.a != logits && before.contains($0.a) && !used($0.a, from: end + 1)
    }
    let rest = instructions[(end + 1)...].filter { later in
      !(later.code == .release && ending.contains { $0.a == later.a })
    }
    program.sections[0].instructions = ContiguousArray(instructions[...end]) + ending + rest
  }

  /// Whether an operation from an instruction on reads a register.
  private func used(_ register: Int32, from start: Int) -> Bool {
    program.sections[0].instructions[start...].contains {
      ($0.code == .record && reads(Int($0.b), [register]))
        || (($0.code == .alias || $0.code == .keep) && $0.b == register)
    }
  }

  /// The weights of what still runs; a weight waits for as many gradients as there are uses left.
  private mutating func keepWeights(of part: ModelPart) {
    var lost: [Int32: Int32] = [:]
    for operation in dropped where operation >= 0 {
      for input in program.registers[program.operations[operation].inputs] {
        lost[input, default: 0] += 1
      }
    }
    var leaves: ContiguousArray<Program.Leaf> = []
    var positions: [Int] = []
    for leaf in program.leaves {
      positions.append(leaves.count)
      var leaf = leaf
      let uses = lost[leaf.register] ?? 0
      guard uses > 0 else {
        leaves.append(leaf)
        continue
      }
      leaf.uses -= uses
      if leaf.uses > 0 { leaves.append(leaf) }
    }
    positions.append(leaves.count)
    program.leaves = leaves
    for section in program.sections.indices {
      let range = program.sections[section].leaves
      program.sections[section].leaves = positions[range.lowerBound]..<positions[range.upperBound]
    }
  }
}

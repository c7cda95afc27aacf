/// Which weights each module of a program runs with, and which module is running.
///
/// A module is an operation with weights; under autocast its casts of them as well; all experts of a mixture; or a
/// mixture as a whole, where DeepSpeed has it as a leaf. Its weights are gathered ahead of its first operation and let go
/// of behind its last one, in backward in the opposite order.
///
/// Source: `DeepSpeedZeRoOffload._register_deepspeed_module` in `deepspeed/runtime/zero/parameter_offload.py`,
/// `DEFAULT_LEAF_MODULE_CLASSES` in `leaf_module_config.py`, DeepSpeed 0.19.8.
struct ZeroUses {
  /// A module that has weights.
  private struct Module {
    var leaves: [Int]
    var first: Int
    var last: Int
    var isMixture = false
  }

  private var modules: [Module] = []
  /// For each operation, the module that it belongs to, or -1.
  private var owner: [Int]
  /// For each operation, the name of the module whose code it is.
  private let names: [String]
  /// For each operation, whether it is of a module without weights that calls no other one; functions have no hooks, and
  /// modules that call others are counted where they begin (``ZeroTrace/containers(_:isReplayed:)``).
  private let isModule: [Bool]
  /// For each operation, whether it looks rows of a table up: no gradient leaves it, so that in backward nothing lets go
  /// of its table before the step does (`_partition_all_parameters` in `stage3.py`).
  private let lookups: [Bool]
  /// The weight that an operation saves a view of, by operation: DeepSpeed takes the place of `F.linear`, which saves
  /// weights that change what they hold, but not of grouped products.
  private(set) var viewed: [Int: Int] = [:]
  /// The weight that an operation's node has a view of as long as the graph is there, whatever checkpoints drop:
  /// `ctx.tensors` of `MatMul4Bit` in `bitsandbytes/autograd/_functions.py`, bitsandbytes 0.50.
  private(set) var kept: [Int: Int] = [:]
  /// For each operation: a weight that it saves, or -1.
  ///
  /// What a checkpoint recomputes is detached, so that it keeps the weight as it was then, until backward has used it
  /// (`_recomputation_hook` in `torch/utils/checkpoint.py`).
  private(set) var detached: [Int]
  /// For each operation that is all of a module: which of its inputs are weights, a bit each; else 0.
  private(set) var weightInputs: [UInt8]
  /// Whether there are mixtures that DeepSpeed has as leaf modules.
  private(set) var hasLeafModules = false
  private var name = ""
  /// The modules that are running forward, and backward, or -1.
  private var open = (forward: -1, backward: -1)

  init(_ program: Program, _ plan: TrainingPlan, _ settings: Zero) {
    names = program.operations.map { $0.module.description }
    isModule = names.map { $0 == "act" || $0 == "rotary_emb" }
    lookups = program.operations.map { $0.name.description == "embedding" }
    owner = Array(repeating: -1, count: program.operations.count)
    detached = Array(repeating: -1, count: program.operations.count)
    weightInputs = Array(repeating: 0, count: program.operations.count)
    var leafOf: [Int32: Int] = [:]
    for (index, leaf) in program.leaves.enumerated() { leafOf[leaf.register] = index }
    let leaves = program.operations.map { operation in
      operation.inputs.compactMap { leafOf[program.registers[$0]] }
    }
    for index in leaves.indices {
      switch program.operations[index].name.description {
      case "grouped_mm": viewed[index] = leaves[index].first
      case "gemm_4bit": kept[index] = leaves[index].first
      default: detached[index] = savedWeight(program, leafOf, index)
      }
    }
    gatherSpans(program, leaves, whole: settings.gathersMixtures)
    hasLeafModules = modules.contains(where: \.isMixture)
    gatherOperations(program, leaves, casts: plan.context.autocast != nil)
    for module in modules where module.first == module.last {
      for (bit, input) in program.operations[module.first].inputs.enumerated()
      where leafOf[program.registers[input]] != nil {
        weightInputs[module.first] |= 1 << bit
      }
    }
  }

  /// Whether a weight is of such a mixture.
  func isInLeafModule(_ leaf: Int) -> Bool {
    modules.contains { $0.isMixture && $0.leaves.contains(leaf) }
  }

  /// Whether an operation saves a view of a weight.
  func isViewed(_ leaf: Int) -> Bool { !viewed.isEmpty && viewed.values.contains(leaf) }

  /// The weight that an operation saves, or -1.
  private func savedWeight(_ program: Program, _ leafOf: [Int32: Int], _ index: Int) -> Int {
    let operation = program.operations[index]
    for saves in [operation.savedInputs, operation.savedOutputs] {
      for save in program.saves[saves] {
        if let leaf = leafOf[save.register] { return leaf }
      }
    }
    return -1
  }

  private mutating func gatherSpans(_ program: Program, _ leaves: [[Int]], whole: Bool) {
    for span in program.spans where (span.kind == .mixture) == whole || span.kind == .experts {
      let inside = program.spans.contains {
        whole && span.kind == .experts && $0.kind == .mixture
          && $0.operations.contains(span.operations.lowerBound)
      }
      var used: [Int] = []
      for operation in span.operations where !inside {
        for leaf in leaves[operation] where !used.contains(leaf) { used.append(leaf) }
      }
      guard !used.isEmpty else { continue }
      for operation in span.operations { owner[operation] = modules.count }
      modules.append(
        Module(
          leaves: used, first: span.operations.lowerBound, last: span.operations.upperBound - 1,
          isMixture: span.kind == .mixture))
    }
  }

  private mutating func gatherOperations(_ program: Program, _ leaves: [[Int]], casts: Bool) {
    // For each register that is a weight's cast, the operation that made it.
    var castBy: [Int32: Int] = [:]
    for index in leaves.indices where owner[index] < 0 {
      let operation = program.operations[index]
      if casts, !leaves[index].isEmpty, operation.name.description == "to" {
        for output in operation.outputs { castBy[program.registers[output]] = index }
        continue
      }
      var module = Module(leaves: leaves[index], first: index, last: index)
      for input in operation.inputs {
        guard let cast = castBy[program.registers[input]] else { continue }
        module.first = min(module.first, cast)
        for leaf in leaves[cast] where !module.leaves.contains(leaf) { module.leaves.append(leaf) }
        owner[cast] = modules.count
      }
      guard !module.leaves.isEmpty else { continue }
      owner[index] = modules.count
      modules.append(module)
    }
  }

  /// What happens ahead of an operation.
  struct Turn {
    /// The weights of a module that is over.
    var left: [Int] = []
    /// The weights of a module that begins, none where it has none; `nil` where none begins.
    var fetched: [Int]?
    /// Whether the module that is over, in backward, is a mixture.
    var leavesMixture = false
  }

  /// An operation is about to run.
  mutating func turn(to operation: Int, isBackward: Bool) -> Turn {
    let enters = names[operation] != name && isModule[operation]
    name = names[operation]
    let module = owner[operation]
    let running = isBackward ? open.backward : open.forward
    guard module < 0 || module != running else { return Turn() }
    var turn = Turn()
    if running >= 0 {
      turn.left = modules[running].leaves
      turn.leavesMixture = isBackward && modules[running].isMixture
    }
    if isBackward {
      open.backward = module
      if open.forward == module { open.forward = -1 }
    } else {
      open.forward = module
    }
    if module >= 0 { turn.fetched = modules[module].leaves } else if enters { turn.fetched = [] }
    return turn
  }

  /// The operation has run.
  ///
  /// - Returns: As the turn says, the module that is over with it.
  mutating func leave(_ operation: Int, isBackward: Bool) -> Turn {
    let module = owner[operation]
    guard module >= 0, module == (isBackward ? open.backward : open.forward) else { return Turn() }
    let bound = isBackward ? modules[module].first : modules[module].last
    guard operation == bound else { return Turn() }
    if isBackward { open.backward = -1 } else { open.forward = -1 }
    guard !isBackward || !lookups[operation] else { return Turn() }
    return Turn(
      left: modules[module].leaves, leavesMixture: isBackward && modules[module].isMixture)
  }

  /// The weights of an operation's module.
  func weights(of operation: Int) -> [Int] {
    owner[operation] < 0 ? [] : modules[owner[operation]].leaves
  }

  /// Whether a weight's gradient waits until backward has left the mixture that it is in.
  func waits(_ leaf: Int) -> Bool {
    open.backward >= 0 && modules[open.backward].isMixture
      && modules[open.backward].leaves.contains(leaf)
  }
}

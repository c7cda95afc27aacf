/// The parameters that each module uses, in the order in which modules run.
///
/// That is forward, and backward with what is recomputed in it. DeepSpeed records the order in its first step and
/// follows it from then on.
///
/// Source: `record_module` and `construct_parameter_trace_from_module_trace` in
/// `deepspeed/runtime/zero/partitioned_param_coordinator.py`, DeepSpeed 0.19.8.
struct ZeroTrace {
  /// The parameters of each use, by their number.
  private(set) var uses: [[Int]] = []
  /// Elements that the uses before each one touch together, and of all, as the distance to a parameter's next use counts
  /// them: a leaf module has none of its own.
  private(set) var touched: [Int] = [0]
  /// The same as the distance to the next use of a leaf module's parameter counts them: modules have all that is in them.
  private(set) var touchedInside: [Int] = [0]
  /// The parameters of leaf modules that each use has in it.
  private(set) var inside: [[Int]] = []

  /// How many modules without parameters of their own run where a section begins: the model and what it wraps; a
  /// layer, its attention and its MLP, twice where backward recomputes the layer.
  static func containers(_ section: Int, isReplayed: Bool = false) -> Int {
    section == 0 ? 2 : isReplayed ? 6 : 3
  }

  /// A module uses parameters.
  ///
  /// - Parameters:
  ///   - elements: Those of its own.
  ///   - all: Those in it.
  ///   - leaves: The parameters of leaf modules that are in it.
  ///
  /// Source: `__params_to_release` in `partitioned_param_coordinator.py`, which looks into the modules to come as it looks
  /// into the one that it releases: into a leaf module to the end, else into nothing but the module itself.
  mutating func append(_ parameters: [Int], elements: Int, all: Int, leaves: [Int] = []) {
    uses.append(parameters)
    touched.append((touched.last ?? 0) &+ elements)
    touchedInside.append((touchedInside.last ?? 0) &+ all)
    inside.append(leaves)
  }

  /// Records a micro-batch.
  static func recorded(_ graph: LayerGraph, _ plan: TrainingPlan, _ settings: Zero)
    throws(PlanError) -> ZeroTrace
  {
    let recorder = ZeroRecorder(graph.program, plan, settings, replays: plan.replays(graph))
    var plain = plan
    plain.microBatches = 1
    plain.distribution = { (_, _) throws(PlanError) in recorder }
    _ = try TrainingStep(graph, plain)
    return recorder.trace
  }
}

extension TrainingPlan {
  /// Whether backward recomputes layers.
  func replays(_ graph: LayerGraph) -> Bool {
    retention(graph.layers).contains { $0.layers > 0 && $0.pattern.contains { $0 != .keep } }
  }
}

extension TrainingPlan {
  /// The frozen tables whose output was made to want a gradient: backward gathers them, and nothing lets go of them.
  func leftover(_ program: Program) -> [Int] {
    guard context.inputRequiresGradient else { return [] }
    return program.leaves.indices.filter {
      program.leaves[$0].isTable && !program.leaves[$0].trainable
    }
  }
}

/// Runs a step to record it.
private final class ZeroRecorder: Distribution, @unchecked Sendable {
  private var parameters: ZeroParameters
  private var uses: ZeroUses
  private(set) var trace = ZeroTrace()

  var walksEveryLayer: Bool { true }
  var followsOperations: Bool { true }

  private let replays: Bool

  private let leftover: [Int]
  /// The leaves of the program that each section has.
  private let sections: [Range<Int>]

  init(_ program: Program, _ plan: TrainingPlan, _ settings: Zero, replays: Bool) {
    self.replays = replays
    leftover = plan.leftover(program)
    sections = program.sections.map(\.leaves)
    parameters = ZeroParameters(program)
    uses = ZeroUses(program, plan, settings)
  }

  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    return []
  }
  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {}
  func begin(isLast: Bool) { parameters.begin() }
  func beforeForward(_ section: Int, in tape: inout Tape) {
    parameters.enter(section)
    appendContainers(section, count: ZeroTrace.containers(section))
  }

  /// The modules that a section begins with: around all of the model, or around a layer and its attention.
  private func appendContainers(_ section: Int, count: Int) {
    guard uses.hasLeafModules else {
      for _ in 0..<count { trace.append([], elements: 0, all: 0) }
      return
    }
    let own =
      section == 0
      ? Array(parameters.all.indices)
      : sections[section].map { parameters.index(of: $0) }
    let leaves = own.filter { isInLeaf[$0] }
    let all = own.reduce(0) { $0 &+ parameters.all[$1].elements }
    let attention = leaves.reduce(all) { $0 &- parameters.all[$1].elements }
    for index in 0..<count {
      let isWhole = section == 0 || index % 3 == 0
      let isAttention = index % 3 == 1
      trace.append(
        [], elements: 0, all: isWhole ? all : isAttention ? attention : 0,
        leaves: isWhole ? leaves : [])
    }
  }

  /// For each parameter, whether a leaf module has it.
  private lazy var isInLeaf = parameters.marked(where: uses.isInLeafModule)
  func beforeBackward(_ section: Int, in tape: inout Tape) {
    appendContainers(section, count: ZeroTrace.containers(section, isReplayed: replays))
  }
  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    parameters.leave(section)
  }
  func beforeOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    guard let leaves = uses.turn(to: operation, isBackward: isBackward).fetched else { return }
    let used = leaves.map { parameters.index(of: $0) }.sorted()
    let elements = used.reduce(0) { $0 &+ parameters.all[$1].elements }
    let isLeaf = uses.hasLeafModules && used.contains { isInLeaf[$0] }
    trace.append(
      used, elements: isLeaf ? 0 : elements, all: elements, leaves: isLeaf ? used : [])
  }
  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    _ = uses.leave(operation, isBackward: isBackward)
  }
  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    tape.release(gradient, Moment.end.rawValue)
  }
  func endBackward(in tape: inout Tape) {
    let used = leftover.map { parameters.index(of: $0) }
    if !used.isEmpty { trace.append(used, elements: 0, all: 0) }
  }
}

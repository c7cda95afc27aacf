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
  /// Elements that the uses before each one touch together, and of all.
  private(set) var touched: [Int] = [0]

  /// How many modules without parameters of their own run where a section begins: the model and what it wraps; a
  /// layer, its attention and its MLP, twice where backward recomputes the layer.
  static func containers(_ section: Int, isReplayed: Bool = false) -> Int {
    section == 0 ? 2 : isReplayed ? 6 : 3
  }

  /// A module uses parameters.
  mutating func append(_ parameters: [Int], elements: Int) {
    uses.append(parameters)
    touched.append((touched.last ?? 0) &+ elements)
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

  init(_ program: Program, _ plan: TrainingPlan, _ settings: Zero, replays: Bool) {
    self.replays = replays
    leftover = plan.leftover(program)
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
    for _ in 0..<ZeroTrace.containers(section) { trace.append([], elements: 0) }
  }
  func beforeBackward(_ section: Int, in tape: inout Tape) {
    for _ in 0..<ZeroTrace.containers(section, isReplayed: replays) {
      trace.append([], elements: 0)
    }
  }
  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    parameters.leave(section)
  }
  func beforeOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    guard let leaves = uses.turn(to: operation, isBackward: isBackward).fetched else { return }
    let used = leaves.map { parameters.index(of: $0) }.sorted()
    trace.append(used, elements: used.reduce(0) { $0 &+ parameters.all[$1].elements })
  }
  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {
    _ = uses.leave(operation, isBackward: isBackward)
  }
  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    tape.release(gradient, Moment.end.rawValue)
  }
  func endBackward(in tape: inout Tape) {
    let used = leftover.map { parameters.index(of: $0) }
    if !used.isEmpty { trace.append(used, elements: 0) }
  }
}

/// What a way of spreading a model's states over devices does around the model and its layers.
///
/// The tape calls it where the frameworks' hooks run; it allocates and frees through the tape, on the rank that
/// needs most. Section 0 is the model around its layers (the root), the others are a layer each.
protocol Distribution: AnyObject {
  /// Whether the last of several equal layers differs from those before it, in forward or in backward.
  var lastLayerDiffers: Bool { get }
  /// Whether the last of several micro-batches differs from those before it.
  var lastMicroBatchDiffers: Bool { get }
  /// Whether it needs to see every layer on its own, so that none are folded.
  var walksEveryLayer: Bool { get }
  /// Whether it is told of every operation.
  var followsOperations: Bool { get }
  /// Whether it clips gradients itself, ahead of the optimizer.
  var clips: Bool { get }
  /// What this device keeps of every weight, and what its optimizer updates.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight]
  /// What is there before the first step and stays: weights, buffers of collectives.
  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError)
  /// A micro-batch begins.
  func begin(isLast: Bool)
  /// The section is about to run forward.
  func beforeForward(_ section: Int, in tape: inout Tape)
  /// The section has run forward.
  func afterForward(_ section: Int, in tape: inout Tape)
  /// The gradient has reached the section's output.
  func beforeBackward(_ section: Int, in tape: inout Tape)
  /// A reentrant checkpoint of the section is done with its input, whose gradient goes on.
  func afterReentrant(_ section: Int, input: Int32, gradient: Int32, in tape: inout Tape)
  /// The gradient has left the section's input; `reachesInput` is false where the input wants none.
  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape)
  /// An operation is about to run, or its gradient is: an index into ``Program/operations``.
  func beforeOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape)
  /// The operation has run, or its gradient has.
  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape)
  /// The gradient of a weight is complete.
  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape)
  /// Backward is over.
  func endBackward(in tape: inout Tape)
  /// All micro-batches of a pipeline's rank are done: what waited for the last one is exchanged.
  func endMicroBatches(in tape: inout Tape)
  /// A repetition ends: what it hands to the next copy is one tensor, not one for each copy.
  func carry(from inner: Int, to outer: Int, in tape: inout Tape)
  /// The optimizer's phase, around the optimizer's own step.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError)
  /// The optimizer has stepped.
  func afterOptimizer(in schedule: inout Schedule)
  /// What it keeps on the host, and moves there and back in a step; `nil` for nothing.
  var hostShare: HostShare? { get throws(PlanError) }
}

/// What of a device's states lies on the host.
struct HostShare: Hashable, Sendable {
  /// What the host keeps.
  var tensors: [HostTensor] = []
  /// What is moved in a step, and updated on the host.
  var moved = OptimizerTransfers()
  /// Bytes that a step reads from a disk, and writes there.
  var fromDisk = 0
  var toDisk = 0
}

extension Distribution {
  var lastLayerDiffers: Bool { false }
  var lastMicroBatchDiffers: Bool { false }
  var walksEveryLayer: Bool { false }
  var followsOperations: Bool { false }
  var hostShare: HostShare? { get throws(PlanError) { nil } }
  func beforeOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {}
  func afterOperation(_ operation: Int, isBackward: Bool, in tape: inout Tape) {}
  var clips: Bool { false }
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    weights
  }
  func begin(isLast: Bool) {}
  func beforeForward(_ section: Int, in tape: inout Tape) {}
  func afterForward(_ section: Int, in tape: inout Tape) {}
  func beforeBackward(_ section: Int, in tape: inout Tape) {}
  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {}
  func endBackward(in tape: inout Tape) {}
  func afterReentrant(_ section: Int, input: Int32, gradient: Int32, in tape: inout Tape) {}
  func endMicroBatches(in tape: inout Tape) {}
  func carry(from inner: Int, to outer: Int, in tape: inout Tape) {}
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {}
  func afterOptimizer(in schedule: inout Schedule) {}
}

/// What devices exchange in a step.
struct Traffic: Hashable, Sendable {
  /// Collectives of one kind among so many devices.
  struct Entry: Hashable, Sendable {
    let collective: Collective
    let ranks: Int
    /// Bytes of all payloads.
    var payload = 0.0
    /// How often.
    var calls = 0.0
    /// Whether what follows needs the result, so that nothing hides it.
    var waits = false
  }

  /// One for each kind and number of devices, in the order in which they came up.
  private(set) var entries: [Entry] = []

  /// A collective over a payload of `payload` bytes among `ranks` devices, `copies` times.
  mutating func add(
    _ collective: Collective, payload: Int, among ranks: Int, copies: Int, waits: Bool = false
  ) {
    guard ranks > 1, payload > 0 else { return }
    add(
      Entry(
        collective: collective, ranks: ranks, payload: Double(payload) * Double(copies),
        calls: Double(copies), waits: waits))
  }

  private mutating func add(_ entry: Entry) {
    for index in entries.indices
    where entries[index].collective == entry.collective && entries[index].ranks == entry.ranks
      && entries[index].waits == entry.waits
    {
      entries[index].payload += entry.payload
      entries[index].calls += entry.calls
      return
    }
    entries.append(entry)
  }

  /// What is exchanged besides.
  mutating func add(_ other: Traffic) {
    for entry in other.entries { add(entry) }
  }

  /// All of it `factor` times.
  mutating func scale(_ factor: Double) {
    for index in entries.indices {
      entries[index].payload *= factor
      entries[index].calls *= factor
    }
  }
}

/// PyTorch's autograd on sizes: runs a program forward, records what backward needs, runs backward.
///
/// It keeps what PyTorch keeps: storages with reference counts, nodes with saved tensors, one gradient buffer for
/// each output, checkpoint frames. Each allocation and release becomes an event of the ``schedule``. Layers that
/// repeat run as the first, one that stands for all in between, and the last.
struct Tape {
  let program: Program
  /// What spreads the model over devices, or `nil`.
  let distribution: (any Distribution)?
  /// Whether it is told of every operation.
  let followsOperations: Bool
  /// How fast the device's kernels are.
  let kernels: KernelTraits
  /// What happened so far.
  var schedule = Schedule()
  /// What it costs.
  var work = Work()

  var storages: ContiguousArray<Storage> = []
  var registers: ContiguousArray<Register>
  var nodes: ContiguousArray<Node> = []
  /// For each input of each node: where its gradient goes.
  var edges: ContiguousArray<Int32> = []
  /// What each node saved: storages, or places in a checkpoint frame.
  var saved: ContiguousArray<Int32> = []
  /// The gradient buffer of each output of each node.
  var buffers: ContiguousArray<Buffer> = []
  var marks: ContiguousArray<Mark> = []
  var frames: ContiguousArray<Frame> = []
  /// What the frame in replay has recomputed so far.
  var recomputed: ContiguousArray<Int32> = []
  /// What autocast keeps until its region ends.
  var cached: ContiguousArray<Int32> = []
  /// The weights' gradients, kept until the optimizer has stepped.
  var gradients: ContiguousArray<Int32> = []
  /// The weight that each of ``gradients`` is of.
  var gradientLeaves: ContiguousArray<Int32> = []
  /// Buffers of weights that wait for more than one gradient, with how many arrived.
  var leaves: ContiguousArray<LeafBuffer>

  /// What the update of each weight allocates and frees, where the optimizer steps in backward; else empty, and `nil`
  /// for a weight whose gradient waits.
  var updates: [ContiguousArray<Event>?] = []
  /// The size of the last gradient that was freed in backward.
  var lastFreed = 0
  /// How many times over the events now count: the product of the repetitions around them.
  var copies = 1
  var mode = Mode.record
  /// The frame whose layer runs, or whose layer is replayed.
  var frame: Int32 = -1
  /// Whether `.grad` exists already, so that gradients are added to it.
  var accumulates = false
  /// The layers that the program's `layers` instructions run, stack by stack.
  let stacks: [LayerRuns]
  /// Runs every layer on its own instead of folding repetitions: slow, and the check of the folding.
  let unrolls: Bool
  /// Whether a replay ends at the last tensor that backward needs (`early_stop`).
  let earlyStop: Bool
  /// Whether code that runs is a recomputation.
  var recomputes = false
  /// The register of what layers return besides the residual stream, or -1.
  var keptRegister = -1
  /// How far above a layer mark's index the layers of a repetition begin, going backward.
  var layerOffset = 0
  /// What the loop holds of the model's output, and what the graph behind it holds.
  var output: ContiguousArray<Int32> = []
  /// Tensors that were made leaves, such as the embedding's output; -1 where that has not happened yet.
  var requiredInputs: ContiguousArray<Int32>
  /// What the graph holds until the loss dies.
  var heldByGraph: ContiguousArray<Int32> = []
  /// What nodes hold beside their saved tensors, until the graph dies.
  var heldByNodes: ContiguousArray<Int32> = []
  /// Saved tensors are copied to the host while autograd records (``HostCopies``).
  var savesOnHost = false
  /// Whether these copies are pinned.
  var pinsHost = false
  /// Saved tensors that leave and come back on a stream of their own, or `nil`.
  var streams: StreamedCopies?
  /// What the host keeps of the saved tensors.
  var host = HostCopies()
  /// What each instruction is to the selective checkpoints of the model.
  var selections: [SavedOperations: [[SavedOperations.Role]]] = [:]
  /// What layers keep and compute again whose values a minimum cut chose.
  var recomputations: [RecomputePlan.Key: RecomputePlan] = [:]
  /// Where each operation runs, and how long; only where it is ``timed``.
  var spans: ContiguousArray<Span> = []
  /// Whether ``spans`` are kept.
  var timed = false
  /// Whether what a part of a model receives lies in buffers that stay.
  var receivesIntoBuffers = false
  /// Whether what a part of a model received has a name until its forward is over, and that tensor, or -1.
  var namesReceived = false
  var received: Int32 = -1
  /// Whether backward makes the gradients of activations alone.
  var splitsBackward = false
  /// What reached the operations whose weights wait for their gradients, in the order of backward.
  var heldForWeights: [(node: Int, gradient: Int32)] = []
  /// Whether the last layer's output leaves the part, so that its gradient comes from outside.
  var endsInLayers = false
  /// The gradient of what a part of a model received, or -1.
  var sentGradient: Int32 = -1
  /// The gradient of the output of the layer that backward has reached, or -1.
  var arrivedGradient: Int32 = -1
  /// Temporaries of the node that runs.
  var temporaries: ContiguousArray<Int32> = .init(repeating: -1, count: 32)

  /// An operation that runs, forward or backward.
  struct Span: Sendable {
    /// How many events there were before it.
    var event: Int
    /// Its index in ``Program/operations``.
    var operation: Int32
    var isBackward = false
    /// Whether a checkpoint recomputes.
    var again = false
    /// Estimated time.
    var seconds: Double
  }

  /// What becomes of saved tensors.
  enum Mode: UInt8 {
    /// Nodes keep them.
    case record
    /// A checkpoint drops them: nodes keep places in its frame.
    case checkpoint
    /// A checkpoint recomputes them into its frame.
    case replay
    /// Backward computes single operations again.
    case again
    /// Autograd is off.
    case off
  }

  /// A piece of memory.
  struct Storage {
    var bytes: Int
    var references: Int32
    var role: Role
    /// One more than the stream that may read it once it is freed, or 0.
    var reader: UInt8 = 0
    /// The repetitions that it was allocated in.
    var copies: Int
  }

  /// A name of a tensor in the running code.
  struct Register {
    /// The memory, or -1 for weights.
    var storage: Int32 = -1
    /// Where its gradient goes: a buffer (0…), nowhere (-1), or weight -(source + 2).
    var source: Int32 = -1
    var requires = false
    var held = false
  }

  /// One recorded operation.
  struct Node {
    var operation: Int32
    var edges: Int32
    var saved: Int32
    var savedCount: Int32 = 0
    var buffer: Int32
    /// The checkpoint frame that its saved tensors are in, or -1, or ``onHost``.
    var frame: Int32
    /// Its saved tensors are copies on the host.
    static let onHost: Int32 = -2
  }

  /// A gradient on its way.
  struct Buffer {
    var storage: Int32 = -1
    var view = false
    /// Whether it is a `DTensor`.
    var wrapped = false
    /// Its own bytes, where its storage has more.
    var bytes = 0
  }

  /// Gradients of one weight that arrived so far.
  struct LeafBuffer {
    var buffer = Buffer()
    var arrived: Int32 = 0
  }

  /// A place between nodes where a repetition begins or ends, a layer ends, or the layers begin.
  struct Mark {
    enum Kind: UInt8 { case repeatBegin, repeatEnd, layerBegin, layer, outside }
    let kind: Kind
    let node: Int
    /// Repetitions.
    var count = 1
    /// The layer's index in the first repetition.
    var layer = 0
    /// What each repetition adds to it.
    var stride = 1
    /// The layer's section.
    var section = 0
    /// Whether the residual stream wants a gradient there.
    var requires = true
    /// Where the gradient of the layer's output arrives, or below 0.
    var output: Int32 = -1
  }

  /// What a checkpointed layer keeps from forward to backward.
  struct Frame {
    let section: Int
    /// The residual stream that went in.
    var input: Register
    /// Everything it holds.
    var arguments: ContiguousArray<Int32>
    /// How many tensors the forward saved.
    var count: Int32 = 0
    /// How many of them backward still needs.
    var remaining: Int32 = 0
    var replayed = false
    /// Where the host has the input's copy, or -1.
    var packedInput: Int32 = -1
    /// Where it has the copies of what else the layer is called with by position.
    var packedArguments: ContiguousArray<Int32> = []
    /// The operators whose results it keeps.
    var operations: SavedOperations?
    /// These results, in the order in which they were made; -1 once a recomputation took them.
    var results: ContiguousArray<Int32> = []
    /// How many of them a recomputation took.
    var taken = 0
    /// Which plan says what it keeps and computes again.
    var plan: RecomputePlan.Key?
    /// The registers that ``results`` are of, where it has a plan.
    var kept: ContiguousArray<Int32> = []
    /// The register that each saved tensor was in, where it has a plan.
    var saved: ContiguousArray<Int32> = []
  }

  init(
    _ program: Program, stacks: [LayerRuns], distribution: (any Distribution)? = nil,
    earlyStop: Bool = true, unrolls: Bool = false, kernels: KernelTraits = KernelTraits()
  ) {
    self.program = program
    self.kernels = kernels
    self.distribution = distribution
    followsOperations = distribution?.followsOperations == true
    self.stacks = stacks
    self.earlyStop = earlyStop
    self.unrolls = unrolls
    registers = .init(repeating: Register(), count: Int(program.registerCount))
    let inputs = Int(program.requirements)
    leaves = .init(repeating: LeafBuffer(), count: program.leaves.count + inputs)
    for case .selective(let operations) in stacks.lazy.flatMap(\.kinds).map(\.retention)
    where selections[operations] == nil {
      selections[operations] = operations.roles(in: program)
    }
    requiredInputs = .init(repeating: -1, count: inputs)
    for (index, leaf) in program.leaves.enumerated() where leaf.trainable {
      registers[Int(leaf.register)].requires = true
      registers[Int(leaf.register)].source = -2 - Int32(index)
    }
    storages.reserveCapacity(1024)
    nodes.reserveCapacity(512)
    edges.reserveCapacity(1024)
    saved.reserveCapacity(768)
    buffers.reserveCapacity(512)
    schedule.events.reserveCapacity(unrolls ? 1 << 16 : 4096)
  }

  /// The weight that stands for the first tensor that was made a leaf; the others follow it.
  var inputLeaf: Int { program.leaves.count }

  // MARK: Memory

  /// A new storage with one reference, from a stream's memory.
  mutating func allocate(_ bytes: Int, _ role: Role, _ operation: Int32, stream: UInt8 = 0)
    -> Int32
  {
    let storage = Int32(truncatingIfNeeded: storages.count)
    storages.append(Storage(bytes: bytes, references: 1, role: role, copies: copies))
    schedule.events.append(
      Event(
        kind: .memory, role: role, again: recomputes, stream: stream, count: 1,
        operation: operation, storage: storage, bytes: bytes))
    return storage
  }

  /// Numbers of storages whose events are written elsewhere; the first one of them.
  mutating func reserveStorages(_ count: Int) -> Int32 {
    let first = Int32(truncatingIfNeeded: storages.count)
    for _ in 0..<count {
      storages.append(Storage(bytes: 0, references: 0, role: .parameters, copies: 1))
    }
    return first
  }

  /// One more reference.
  mutating func retain(_ storage: Int32) {
    if storage >= 0 { storages[Int(storage)].references &+= 1 }
  }

  /// One reference less; the last one frees the memory.
  mutating func release(_ storage: Int32, _ operation: Int32) {
    guard storage >= 0 else { return }
    storages[Int(storage)].references &-= 1
    guard storages[Int(storage)].references == 0 else { return }
    let freed = storages[Int(storage)]
    // What a repetition left behind is freed as often as the repetition made it.
    let count = freed.copies > copies ? freed.copies / copies : 1
    schedule.free(
      freed.bytes, count: count, freed.role, operation, storage: storage, reader: freed.reader)
  }

  /// Another stream reads a storage: once freed, its memory waits for that stream (`Tensor.record_stream`).
  mutating func record(_ storage: Int32, on stream: UInt8) {
    guard storage >= 0 else { return }
    storages[Int(storage)].reader = stream &+ 1
  }

  /// The loop binds the model's output, with its logits and its loss, to its name again.
  mutating func holdOutput() {
    guard program.heldOutput >= 0 else { return }
    dropOutput()
    for register in [program.heldOutput, program.loss, program.alsoHeld] where register >= 0 {
      output.append(registers[Int(register)].storage)
      retain(registers[Int(register)].storage)
    }
    letGo(program.heldOutput)
    if program.alsoHeld >= 0 { letGo(program.alsoHeld) }
  }

  /// The loop lets go of the model's output, and with it of what the graph behind it held.
  mutating func dropOutput() {
    for storage in output { release(storage, Moment.end.rawValue) }
    output.removeAll(keepingCapacity: true)
  }

  /// After backward the graph lives as long as the output that the loop holds, or as its loss.
  mutating func graphHeld(_ storage: Int32) {
    if program.heldOutput >= 0 { output.append(storage) } else { heldByGraph.append(storage) }
  }

  /// A node that is being made holds a tensor as an attribute of its own, which no checkpoint drops.
  mutating func hold(_ storage: Int32) {
    guard storage >= 0 else { return }
    retain(storage)
    heldByNodes.append(storage)
    // Inside a repetition it is one tensor for each copy, even where it came in from the layer before.
    storages[Int(storage)].copies = max(storages[Int(storage)].copies, copies)
  }

  /// The nodes made since `floor` are gone.
  mutating func letGoOfHeld(downTo floor: Int) {
    for storage in heldByNodes[floor...] { release(storage, Moment.end.rawValue) }
    heldByNodes.removeSubrange(floor...)
  }

  /// The loss is gone, and the graph behind it unless the loop holds the output.
  mutating func dropLoss() {
    letGo(program.loss)
    if streams != nil {
      dropGraphBefore()
      streams?.graphBefore = heldByGraph
    } else {
      for storage in heldByGraph { release(storage, Moment.end.rawValue) }
    }
    heldByGraph.removeAll(keepingCapacity: true)
  }

  /// The graph of a micro-batch is gone once its backward ran.
  mutating func forgetGraph() {
    nodes.removeAll(keepingCapacity: true)
    edges.removeAll(keepingCapacity: true)
    saved.removeAll(keepingCapacity: true)
    buffers.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    frames.removeAll(keepingCapacity: true)
  }

  /// Devices exchange `payload` bytes; `waits` where the next kernel needs the result.
  mutating func communicate(
    _ collective: Collective, _ payload: Int, among ranks: Int, waits: Bool = false
  ) {
    work.traffic.add(collective, payload: payload, among: ranks, copies: copies, waits: waits)
  }

  /// A sum of gradients in place or in a new tensor: two are read, one is written.
  mutating func countSum(_ bytes: Int) {
    let time = kernels.time(moving: 3 &* bytes)
    work.time.add(time, times: Double(copies))
    if timed, !spans.isEmpty { spans[spans.count - 1].seconds += time.seconds * Double(copies) }
  }

  /// At the end of a repetition: what it carries to the next copy is one tensor, not one per copy.
  mutating func carry(_ storage: Int32, from inner: Int, to outer: Int) {
    guard storage >= 0, storages[Int(storage)].copies == inner else { return }
    storages[Int(storage)].copies = outer
  }
}

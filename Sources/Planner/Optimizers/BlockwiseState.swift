/// What a bitsandbytes optimizer keeps for a parameter: 8 bits an element in blocks of 256, or fp32.
///
/// Each block of an 8-bit state has a scale in fp32. Parameters below 4,096 elements have fp32 states. A paged
/// optimizer puts states of at least 100,000 elements into managed memory, which the driver moves to the host
/// when the device is full; the scales stay on the device.
///
/// Source: `Optimizer8bit.get_state_buffer`, `Optimizer1State.init_state` and `Optimizer2State.init_state` in
/// `bitsandbytes/optim/optimizer.py`, bitsandbytes 0.50.
struct BlockwiseState: Hashable, Sendable {
  /// States per parameter: two for Adam, one for Lion.
  let states: Int
  /// Whether large parameters have 8-bit states.
  let quantized: Bool
  /// Whether large states lie in managed memory.
  let paged: Bool

  /// What of it is allocated on the device.
  func tensors(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    let elements = parameter.elements
    let small = !quantized || elements < 4096
    var tensors: [TensorSpec] = []
    for _ in 0..<states {
      if !paged || elements < 100_000 {
        tensors.append(try TensorSpec(1, elements, small ? .fp32 : .uint8))
      }
      if !small {
        tensors.append(try TensorSpec(1, elements / 256 + (elements % 256 == 0 ? 0 : 1), .fp32))
      }
    }
    return tensors
  }

  /// What of it lies in managed memory.
  func managed(of parameter: TensorSpec) throws(PlanError) -> [HostTensor] {
    guard paged, parameter.elements >= 100_000 else { return [] }
    let bytes = try TensorSpec(1, parameter.elements, quantized ? .uint8 : .fp32).bytes
    return Array(
      repeating: HostTensor(bytes, .optimizerState, isPinned: false), count: states)
  }

  /// The code tables, 256 fp32 values each, which all parameters share.
  func tables(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] {
    guard quantized, parameters.contains(where: { $0.elements >= 4096 }) else { return [] }
    return Array(repeating: try TensorSpec(1, 256, .fp32), count: states)
  }

  /// What to tell the reader.
  var assumptions: [Assumption] {
    let source = "bitsandbytes 0.50, bitsandbytes/optim/optimizer.py"
    var told = [
      Assumption(
        "optimizer_package",
        "bitsandbytes alone; transformers' Trainer keeps the states of embeddings in fp32",
        source: source)
    ]
    if paged {
      told.append(
        Assumption(
          "paged_states",
          "paged states are in host memory when the device is full: the host's memory counts all of them",
          source: source)
      )
    }
    return told
  }
}

/// An optimizer of bitsandbytes: its state, and one kernel for each parameter that allocates nothing.
public protocol BlockwiseOptimizer: Optimizer {
  /// Its states per parameter.
  static var stateCount: Int { get }
  /// Whether they have 8 bits.
  static var isQuantized: Bool { get }
  /// Whether they are paged.
  static var isPaged: Bool { get }
  /// With its only configuration.
  init()
}

extension BlockwiseOptimizer {
  private var state: BlockwiseState {
    BlockwiseState(states: Self.stateCount, quantized: Self.isQuantized, paged: Self.isPaged)
  }

  /// Takes no settings.
  public init(_ settings: inout Settings) throws(PlanError) { self.init() }
  /// Gradients are clipped by PyTorch's default.
  public var implementation: OptimizerImplementation { .foreach }
  /// The states on the device.
  public func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    try state.tensors(of: parameter)
  }
  /// The paged states, as many as the driver may move there.
  public func hostTensors(of parameter: TensorSpec) throws(PlanError) -> [HostTensor] {
    try state.managed(of: parameter)
  }
  /// The code tables.
  public func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] {
    try state.tables(of: parameters)
  }
  /// Where the states are.
  public var assumptions: [Assumption] { state.assumptions }
  /// The kernels update parameters and states in place.
  public func step(_ step: inout OptimizerStep) throws(PlanError) {}
}

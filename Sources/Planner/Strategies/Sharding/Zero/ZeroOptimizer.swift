/// An optimizer over the flat share of a rank, or over each of its sub-groups in stage 3.
///
/// Adam and Lion are DeepSpeed's own fused kernels where no other is asked for (`torch_adam`), and its optimizers for the
/// host where states are offloaded. Any other one gets the share as a parameter of one dimension.
///
/// Source: `_configure_basic_optimizer` in `deepspeed/runtime/engine.py`; `FusedAdam.step` in
/// `deepspeed/ops/adam/fused_adam.py` and `FusedLion.step` in `deepspeed/ops/lion/fused_lion.py`: two states or one,
/// a flag of four bytes, and kernels that allocate nothing; DeepSpeed 0.19.8.
struct ZeroOptimizer: Optimizer {
  static let name = "adamw"
  static let summary = "An optimizer over a flat share."

  /// Whose kernels update the share.
  private enum Kernel {
    case fusedAdam(decoupled: Bool)
    case fusedLion
    case other(any Optimizer)
  }

  private let kernel: Kernel
  private let isOnHost: Bool

  /// The optimizer that DeepSpeed makes of the scenario's.
  init(_ optimizer: any Optimizer, torchAdam: Bool, isOnHost: Bool) {
    self.isOnHost = isOnHost
    switch optimizer {
    case is AdamW where !torchAdam: kernel = .fusedAdam(decoupled: true)
    case is Adam where !torchAdam: kernel = .fusedAdam(decoupled: false)
    case is Lion: kernel = .fusedLion
    default: kernel = .other(optimizer)
    }
  }

  init(_ settings: inout Settings) throws(PlanError) {
    self.init(try AdamW(&settings), torchAdam: false, isOnHost: false)
  }

  /// Whether DeepSpeed calls it tested (`ZERO_SUPPORTED_OPTIMIZERS` in `deepspeed/runtime/zero/utils.py`).
  static func isTested(_ optimizer: any Optimizer) -> Bool {
    optimizer is AdamW || optimizer is Adam || optimizer is Lion
  }

  /// Whether it updates a parameter of one dimension like any other, after backward and on the device.
  static func takesShares(_ optimizer: any Optimizer) -> Bool {
    isTested(optimizer) || optimizer is SGD || optimizer is Adafactor || optimizer is AdamW8bit
      || optimizer is Lion8bit
  }

  var label: String {
    switch kernel {
    case .fusedAdam(let decoupled):
      let name = decoupled ? "AdamW" : "Adam"
      return isOnHost ? "\(name) on the host (DeepSpeedCPUAdam)" : "\(name) (FusedAdam)"
    case .fusedLion:
      return isOnHost ? "Lion on the host (DeepSpeedCPULion)" : "Lion (FusedLion)"
    case .other(let optimizer): return optimizer.label
    }
  }

  var implementation: OptimizerImplementation {
    guard case .other(let optimizer) = kernel else { return .fused }
    return optimizer.implementation
  }

  var assumptions: [Assumption] {
    guard case .other(let optimizer) = kernel else { return [] }
    return optimizer.assumptions
  }

  /// How many states it has for each weight on the host.
  var statesOnHost: Int {
    if case .fusedLion = kernel { return 1 }
    return 2
  }

  func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    switch kernel {
    case .fusedAdam: [parameter, parameter]
    case .fusedLion: [parameter]
    case .other(let optimizer): try optimizer.states(of: parameter)
    }
  }

  func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] {
    if case .other(let optimizer) = kernel { return try optimizer.sharedStates(of: parameters) }
    return isOnHost ? [] : [try TensorSpec(1, 1, .fp32)]
  }

  func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    if case .other(let optimizer) = kernel { return try optimizer.bytesMoved(for: weight) }
    var bytes = 3 &* weight.spec.bytes
    for state in try states(of: weight.spec) { bytes &+= 2 &* state.bytes }
    return bytes
  }

  /// Nothing: ``ZeroPartitionedStep`` and the others update share after share, as ``update(_:_:in:)`` says.
  func step(_ step: inout OptimizerStep) throws(PlanError) {}

  /// What the step of one share allocates and frees.
  func update(_ share: TrainingStep.Weight, _ kernels: KernelTraits, in schedule: inout Schedule)
    throws(PlanError)
  {
    guard case .other(let optimizer) = kernel else { return }
    var step = OptimizerStep(weights: [share], schedule: schedule)
    step.kernels = kernels
    try optimizer.step(&step)
    schedule = step.schedule
  }
}

/// Another optimizer whose states lie on the host and whose update runs there.
///
/// As torchao's `CPUOffloadOptimizer` does it, which its documentation names for training on a single GPU: the host has
/// a pinned copy of every weight of at least `minimal_size` elements and of its gradient, and an optimizer for each.
/// A hook copies each gradient to the host as soon as it is accumulated; `offload_gradients` frees it on the device.
/// The step updates the host's copies and copies them back. Smaller weights keep their optimizer on the device.
/// Weights, gradients and states keep the format of the device's weights: there is no fp32 master copy.
///
/// Source: `CPUOffloadOptimizer` in `torchao/optim/cpu_offload.py`, torchao 0.14.
struct HostOptimizer: Optimizer {
  static let name = "offload_optimizer"
  static let summary = "Another optimizer, stepping on the host."
  /// What updates each weight.
  let optimizer: any Optimizer
  /// Whether a gradient is freed once it was copied.
  let freesGradients: Bool
  /// Weights of fewer elements stay with the device's optimizer.
  let minimalSize: Int

  /// AdamW is torchao's fused one, on the host and for what stays on the device.
  init(_ optimizer: any Optimizer, freesGradients: Bool, minimalSize: Int) {
    self.optimizer = optimizer is AdamW ? AdamW(.fused) : optimizer
    self.freesGradients = freesGradients
    self.minimalSize = minimalSize
  }

  init(_ settings: inout Settings) throws(PlanError) {
    self.init(try AdamW(&settings), freesGradients: false, minimalSize: 4096)
  }

  var label: String { optimizer.label + " on the host" }
  var implementation: OptimizerImplementation { optimizer.implementation }
  var stepsInBackward: Bool { freesGradients }
  /// `record_stream` on the gradients that the copying stream reads.
  var freesLate: Bool { true }
  var assumptions: [Assumption] {
    optimizer.assumptions + [
      Assumption(
        "offloaded_optimizer",
        "torchao's CPUOffloadOptimizer: states, a copy of the weights and their gradients on the host in the format of "
          + "the weights, updated there; gradients leave as fast as backward makes them",
        source: "torchao/optim/cpu_offload.py, torchao 0.14")
    ]
  }

  private func isOffloaded(_ parameter: TensorSpec) -> Bool { parameter.elements >= minimalSize }

  func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    isOffloaded(parameter) ? [] : try optimizer.states(of: parameter)
  }

  func freesGradient(of parameter: TensorSpec) -> Bool {
    freesGradients && isOffloaded(parameter)
  }

  func hostTensors(of parameter: TensorSpec) throws(PlanError) -> [HostTensor] {
    guard isOffloaded(parameter) else { return [] }
    let states = try optimizer.states(of: parameter).map {
      HostTensor($0.bytes, .optimizerState, isPinned: false)
    }
    return [
      HostTensor(parameter.bytes, .parameters, isPinned: true),
      HostTensor(parameter.bytes, .gradients, isPinned: true),
    ] + states
  }

  func transfers(of parameter: TensorSpec) -> OptimizerTransfers {
    guard isOffloaded(parameter) else { return OptimizerTransfers() }
    return OptimizerTransfers(
      toHost: parameter.bytes, toDevice: parameter.bytes, updatedOnHost: parameter.elements)
  }

  func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    isOffloaded(weight.spec) ? 0 : try optimizer.bytesMoved(for: weight)
  }

  func step(_ step: inout OptimizerStep) throws(PlanError) {
    step.keep { !isOffloaded($0.spec) }
    if !step.weights.isEmpty { try optimizer.step(&step) }
  }
}

/// Adam over the flat fp32 share of a rank: DeepSpeed's FusedAdam, or `torch.optim` (`torch_adam`).
///
/// Its step is part of what ``ZeroPartitionedStep`` and ``ZeroGatheredStep`` do, group after group.
///
/// Source: `FusedAdam.step` in `deepspeed/ops/adam/fused_adam.py`, DeepSpeed 0.19.8: two states in fp32, a flag of four
/// bytes, and kernels that allocate nothing.
struct ZeroAdam: Optimizer {
  static let name = "adamw"
  static let summary = "Adam over a flat share."
  /// How `torch.optim` runs, or `nil` for FusedAdam.
  let torchImplementation: OptimizerImplementation?
  let isDecoupled: Bool
  let isOnHost: Bool

  init(implementation: OptimizerImplementation?, decoupled: Bool, isOnHost: Bool) {
    torchImplementation = implementation
    isDecoupled = decoupled
    self.isOnHost = isOnHost
  }

  init(_ settings: inout Settings) throws(PlanError) {
    self.init(implementation: nil, decoupled: true, isOnHost: false)
  }

  var label: String {
    let name = isDecoupled ? "AdamW" : "Adam"
    if isOnHost { return "\(name) on the host (DeepSpeedCPUAdam)" }
    return torchImplementation.map { "\(name) (\($0.rawValue))" } ?? "\(name) (FusedAdam)"
  }

  var implementation: OptimizerImplementation { torchImplementation ?? .fused }

  func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec] {
    torchImplementation == .fused
      ? [parameter, parameter, try TensorSpec(1, 1, .fp32)] : [parameter, parameter]
  }

  func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] {
    torchImplementation == nil && !isOnHost ? [try TensorSpec(1, 1, .fp32)] : []
  }

  func step(_ step: inout OptimizerStep) throws(PlanError) {}

  /// What the step of one flat share allocates at most: see ``AdamW``.
  func passing(_ bytes: Int) -> [Int] {
    switch torchImplementation {
    case .foreach?: [bytes]
    case .forLoop?: [bytes, bytes]
    case .fused?, nil: []
    }
  }
}

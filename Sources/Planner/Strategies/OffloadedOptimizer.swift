/// Keeps optimizer states on the host and updates the weights there, one GPU's way to train more than it can hold.
///
/// What it does is written at ``HostOptimizer``.
public struct OffloadedOptimizer: Strategy {
  /// See ``Strategy/name``.
  public static let name = "offload_optimizer"
  /// See ``Strategy/summary``.
  public static let summary =
    "Keeps optimizer states on the host and updates weights there (torchao's CPUOffloadOptimizer)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.placement
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.optimizerPlacement]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(
      "offload_gradients", .truth, default: false,
      "gradients leave the device as soon as they are there; not with accumulation"),
    SettingKey(
      "minimal_size", .integer(0...1_000_000_000), default: 4096,
      "parameters of fewer elements stay on the device"),
  ]

  /// Whether gradients leave the device as soon as they are there (`offload_gradients`).
  public let freesGradients: Bool
  /// Weights of fewer elements stay with the device's optimizer (`minimal_size`).
  public let minimalSize: Int

  /// With torchao's default of 4,096 elements.
  public init(freesGradients: Bool = false, minimalSize: Int = 4096) {
    self.freesGradients = freesGradients
    self.minimalSize = minimalSize
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    freesGradients = try settings.bool("offload_gradients")
    minimalSize = try settings.integer("minimal_size")
  }

  /// See ``Strategy/label``.
  public var label: String {
    "optimizer on the host" + (freesGradients ? ", with the gradients" : "")
  }

  /// Writes the decisions into the plan.
  ///
  /// - Throws: ``PlanError`` for an optimizer that has no kernels on the host, one that steps in backward, clipping,
  ///   and accumulation of gradients that have left.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    guard plan.distribution == nil else {
      throw PlanError(
        .conflict, "offload_optimizer is planned for one device, not for states that several share",
        path: "strategies.offload_optimizer", fix: "Use \"cpu_offload\" of fsdp, or one device.")
    }
    let optimizer = plan.optimizer
    guard !(optimizer is any BlockwiseOptimizer), !optimizer.stepsInBackward else {
      throw .noHostUpdate(optimizer.label)
    }
    guard plan.clipping == nil else { throw .clippedTooLate }
    guard !freesGradients || plan.microBatches == 1 else { throw .accumulatesElsewhere }
    plan.optimizer = HostOptimizer(
      optimizer, freesGradients: freesGradients, minimalSize: minimalSize)
  }
}

extension PlanError {
  fileprivate static func noHostUpdate(_ optimizer: String) -> Self {
    Self(
      .conflict, "\(optimizer) cannot run on the host", path: "strategies.offload_optimizer",
      fix: "Use adamw, adam, sgd, adafactor or muon, without \"in_backward\".")
  }

  fileprivate static var clippedTooLate: Self {
    Self(
      .conflict, "gradients are copied to the host before they are clipped",
      path: "gradient_clipping",
      fix: "Leave \"gradient_clipping\" out: CPUOffloadOptimizer does not support it.")
  }

  fileprivate static var accumulatesElsewhere: Self {
    Self(
      .conflict, "gradients that leave the device cannot be accumulated there",
      path: "strategies.offload_optimizer.offload_gradients",
      fix: "Set \"offload_gradients\" to false, or use one accumulation step.")
  }
}

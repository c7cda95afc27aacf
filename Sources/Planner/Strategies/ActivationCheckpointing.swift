/// Keeps only the input of chosen layers and computes the rest again in backward.
///
/// As `torch.utils.checkpoint` does it: non-reentrant by default, where the recomputation ends at the last tensor
/// that backward needs; reentrant runs the whole layer again.
///
/// Source: Chen et al. 2016, arXiv:1604.06174; `torch/utils/checkpoint.py`, PyTorch 2.11.
public struct ActivationCheckpointing: Strategy {
  /// See ``Strategy/name``.
  public static let name = "checkpointing"
  /// See ``Strategy/summary``.
  public static let summary =
    "Keeps only the input of chosen layers; backward computes the rest again (gradient checkpointing)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.retention
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.retention]

  /// Which layers are checkpointed.
  public enum Policy: Hashable, Sendable {
    /// No layer.
    case none
    /// Every layer.
    case full
    /// Layers 0, k, 2k, …
    case every(Int)
    /// The first n layers.
    case first(Int)
  }

  /// Which layers are checkpointed.
  public let policy: Policy
  /// Whether checkpoints are reentrant (`use_reentrant=True`).
  public let reentrant: Bool
  /// Whether a recomputation ends at the last tensor that backward needs.
  public let earlyStop: Bool

  /// Checkpoints the layers of a policy.
  public init(_ policy: Policy, reentrant: Bool = false, earlyStop: Bool = true) {
    self.policy = policy
    self.reentrant = reentrant
    self.earlyStop = earlyStop
  }

  private enum PolicyName: String, CaseIterable { case none, full, every, first }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    switch try settings.choice("policy", default: PolicyName.full) {
    case .none: policy = .none
    case .full: policy = .full
    case .every: policy = .every(try settings.integer("interval", in: 1...100_000))
    case .first: policy = .first(try settings.integer("layers", in: 0...100_000))
    }
    reentrant = try settings.bool("reentrant", default: false)
    earlyStop = try settings.bool("early_stop", default: true)
  }

  /// See ``Strategy/label``.
  public var label: String {
    let layers =
      switch policy {
      case .none: "no layer"
      case .full: "every layer"
      case .every(1): "every layer"
      case .every(let interval): "every \(interval). layer"
      case .first(let layers): "the first \(layers) layers"
      }
    return "checkpointing of " + layers + (reentrant ? ", reentrant" : "")
  }

  /// As a scenario spells it.
  var setting: JSONValue {
    var members: [JSONValue.Member] =
      switch policy {
      case .none: [.init("policy", "none")]
      case .full: [.init("policy", "full")]
      case .every(let interval): [.init("policy", "every"), .init("interval", .integer(interval))]
      case .first(let layers): [.init("policy", "first"), .init("layers", .integer(layers))]
      }
    if reentrant { members.append(.init("reentrant", true)) }
    if !earlyStop { members.append(.init("early_stop", false)) }
    return .object(members)
  }

  /// The same with other layers.
  func with(_ policy: Policy) -> Self {
    Self(policy, reentrant: reentrant, earlyStop: earlyStop)
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    let again = Retention.recompute(reentrant: reentrant)
    plan.earlyStop = earlyStop
    plan.context.checkpoints = policy != .none && policy != .first(0)
    plan.context.enablesCheckpointing = policy == .full
    // `gradient_checkpointing_enable` makes the embedding's output want a gradient under adapters; layers that are
    // wrapped one by one go without, unless they are reentrant: their adapters would get none.
    plan.context.inputRequiresGradient = plan.context.checkpoints && (policy == .full || reentrant)
    switch policy {
    case .none: break
    case .full: plan.retentionPieces = { [RetentionPiece(pattern: [again], layers: $0)] }
    case .every(let interval):
      plan.retentionPieces = { layers in
        let interval = min(interval, max(layers, 1))
        let pattern = [again] + Array(repeating: .keep, count: interval - 1)
        return [RetentionPiece(pattern: pattern, layers: layers)]
      }
    case .first(let first):
      plan.retentionPieces = { layers in
        let first = min(first, layers)
        return [
          RetentionPiece(pattern: [again], layers: first),
          RetentionPiece(pattern: [.keep], layers: layers - first),
        ]
      }
    }
  }
}

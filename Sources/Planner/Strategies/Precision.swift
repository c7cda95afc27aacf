/// The number formats of weights and arithmetic, in Lightning's names.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  /// Everything in fp32.
  case fp32True = "32-true"
  /// Everything in bf16.
  case bf16True = "bf16-true"
  /// Everything in fp16.
  case fp16True = "16-true"
  /// fp32 weights; matrix products and attention in bf16 by autocast.
  case bf16Mixed = "bf16-mixed"
  /// fp32 weights; matrix products and attention in fp16 by autocast, with a loss scaler.
  case fp16Mixed = "16-mixed"
  /// As ``bf16Mixed``, with the layers' linear products in 8-bit floating point by torchao.
  case fp8Mixed = "fp8-mixed"
}

extension Precision: Strategy {
  /// See ``Strategy/name``.
  public static let name = "precision"
  /// See ``Strategy/summary``.
  public static let summary =
    "Number formats: all in one format, or fp32 weights with 16-bit matrix products by autocast."
  /// See ``Strategy/stage``.
  public static let stage = Stage.precision
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.formats]
  /// See ``Strategy/keys``; it is a key of the scenario itself.
  public static let keys = [
    SettingKey(
      "precision", .choice(of: Self.self), default: "bf16-true",
      "formats of weights and arithmetic, by Lightning's names")
  ]

  /// Reads the top-level key `precision`.
  public init(_ settings: inout Settings) throws(PlanError) {
    self = try settings.choice("precision")
  }

  /// See ``Strategy/label``.
  public var label: String { "precision \(rawValue)" }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    switch self {
    case .fp32True: plan.context.dtype = .fp32
    case .bf16True: plan.context.dtype = .bf16
    case .fp16True: plan.context.dtype = .fp16
    case .bf16Mixed: (plan.context.dtype, plan.context.autocast) = (.fp32, .bf16)
    case .fp16Mixed:
      (plan.context.dtype, plan.context.autocast) = (.fp32, .fp16)
      plan.scalesLoss = true
    case .fp8Mixed:
      (plan.context.dtype, plan.context.autocast) = (.fp32, .bf16)
      plan.context.float8 = true
      plan.assumptions.append(Self.float8)
    }
  }

  /// What 8-bit products take for granted.
  private static let float8 = Assumption(
    "float8",
    "torchao's tensorwise scaling in every linear layer but the head, run eagerly; not Transformer Engine's",
    source: "torchao 0.18, torchao/float8; accelerate 1.15, accelerate/utils/ao.py")
}

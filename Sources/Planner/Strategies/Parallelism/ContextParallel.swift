/// Cuts every sequence over devices, attention included.
///
/// Source: Liu et al. 2023, arXiv:2310.01889 (ring); Jacobs et al. 2023, arXiv:2309.14509 (all-to-all).
public struct ContextParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "context_parallel"
  /// See ``Strategy/summary``.
  public static let summary = "Cuts every sequence over devices, attention included."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.contextParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "degree", .integer(1...1024), "devices that share each sequence"),
    SettingKey(
      "method", .choice(of: Mesh.ContextMethod.self), default: "ring",
      "PyTorch's ring, or DeepSpeed's Ulysses, which exchanges heads"),
  ]

  /// Devices that share a sequence.
  public let degree: Int
  /// How they attend to each other's keys.
  public let method: Mesh.ContextMethod

  /// Cuts over so many devices.
  public init(degree: Int, method: Mesh.ContextMethod = .ring) {
    (self.degree, self.method) = (degree, method)
  }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    degree = try settings.integer("degree")
    method = try settings.choice("method")
  }

  /// See ``Strategy/label``.
  public var label: String {
    "context parallel over \(degree)" + (method == .ring ? "" : ", all-to-all")
  }

  /// Writes the decisions into the plan; from then on its sequences are one device's parts.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.mesh.context = degree
    plan.mesh.contextMethod = method
    guard degree > 1 else { return }
    plan.communicators += 1
    // Around a ring each device has a part from either end of a sequence, so that causal attention is shared evenly.
    let isWhole = method == .allToAll && plan.context.framework == .torch
    let parts = isWhole ? degree : 2 * degree
    guard plan.context.sequence % parts == 0 else {
      throw PlanError(
        .invalid,
        "a sequence of \(plan.context.sequence) tokens cannot be cut into \(parts) equal parts",
        path: "strategies.context_parallel.degree",
        fix:
          "Choose a degree \(isWhole ? "that" : "twice of which") divides workload.sequence_length."
      )
    }
    plan.context.sequence /= degree
  }
}

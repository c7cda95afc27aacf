/// Adam with decoupled weight decay (`torch.optim.AdamW`).
public struct AdamW: Optimizer {
  public static let name = "adamw"
  public static let summary = "Adam with decoupled weight decay: two states per parameter."
  let implementation: OptimizerImplementation

  /// With an implementation.
  public init(_ implementation: OptimizerImplementation = .foreach) {
    self.implementation = implementation
  }

  public init(_ settings: inout Settings) throws(PlanError) {
    implementation = try settings.choice("implementation", default: .foreach)
  }

  public var label: String { "AdamW (\(implementation.rawValue))" }
}

/// A change that makes a scenario fit, tried for real.
public struct Remedy: Sendable {
  /// What to change, as the scenario spells it: `"checkpointing": { "policy": "full" }`.
  public var change: String
  /// What it costs beyond recomputation: "trains 40.0 M of 6.7 B parameters"; empty if nothing.
  public var cost: String
  /// What the changed scenario comes to.
  public var report: Report
}

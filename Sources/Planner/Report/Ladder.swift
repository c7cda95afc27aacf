/// One scenario's techniques side by side: the baseline, each alone, all stacked.
public struct Ladder: Sendable {
  /// One step of the ladder.
  public struct Rung: Sendable {
    /// `baseline`, a strategy's label, or `all together`.
    public var label: String
    /// What it comes to.
    public var report: Report
  }
  /// Baseline first, the whole scenario last.
  public var rungs: [Rung]
}

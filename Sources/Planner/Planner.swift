/// The way in: a scenario goes in, a report comes out.
public enum Planner {
  /// Plans one scenario.
  public static func plan(_ scenario: Scenario) throws(PlanError) -> Report {
    throw PlanError(.defect, "stub", fix: "")
  }

  /// The ladder: the baseline (fp32, no technique), each strategy of the scenario alone, and all stacked.
  public static func compare(_ scenario: Scenario) throws(PlanError) -> Ladder {
    throw PlanError(.defect, "stub", fix: "")
  }

  /// Changes that would make a scenario fit, each planned for real, the cheapest recomputation first.
  public static func remedies(for scenario: Scenario) throws(PlanError) -> [Remedy] {
    throw PlanError(.defect, "stub", fix: "")
  }
}

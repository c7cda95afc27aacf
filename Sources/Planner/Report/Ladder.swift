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

  /// A ladder of rungs that were planned elsewhere.
  init(of rungs: [Rung]) { self.rungs = rungs }

  /// Plans the baseline (fp32, no technique), each strategy of the scenario alone on top of it, and all stacked.
  ///
  /// Megatron's and DeepSpeed's baselines have the scenario's format, DeepSpeed's its pipeline and ZeRO as well. A
  /// strategy that leans on another one has no rung of its own.
  init(_ scenario: Scenario) throws(PlanError) {
    var bare = scenario
    let isMegatrons = scenario.framework == .megatron
    let isDeepSpeeds = scenario.framework == .deepspeed
    if !isMegatrons, !isDeepSpeeds { bare.precision = .fp32True }
    bare.strategies = isDeepSpeeds ? scenario.strategies.filter(DeepSpeedRun.needs) : []
    let always = bare.strategies
    bare.devices = nil
    var rungs = [
      Rung(
        label: isDeepSpeeds
          ? "baseline: pipeline and ZeRO"
          : isMegatrons ? "baseline: no technique" : "baseline: fp32, no technique",
        report: try Planner.plan(bare))
    ]
    if scenario.precision != bare.precision {
      var one = bare
      one.precision = scenario.precision
      rungs.append(Rung(label: scenario.precision.label, report: try Planner.plan(one)))
    }
    for strategy in scenario.strategies where !(isDeepSpeeds && DeepSpeedRun.needs(strategy)) {
      var one = bare
      one.strategies = always + [strategy]
      do throws(PlanError) {
        rungs.append(Rung(label: strategy.label, report: try Planner.plan(one)))
      } catch {
        guard isMegatrons, error.kind == .conflict || error.kind == .invalid else { throw error }
      }
    }
    rungs.append(Rung(label: "all together", report: try Planner.plan(scenario)))
    self.rungs = rungs
  }
}

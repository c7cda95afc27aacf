/// A report with everything around it: what a decision about hardware needs on paper.
public struct ReportDocument: Sendable {
  /// What the scenario comes to.
  public var report: Report
  /// What would make it fit; `nil` where nobody looked, or where it fits.
  public var remedies: [Remedy]?
  /// Its techniques side by side, where they can be planned one by one.
  public var ladder: Ladder?
  /// The step over time; `nil` where it is too long.
  public var timeline: Timeline?
  /// Every kind of device for the same run; `nil` where nobody compared.
  public var devices: DeviceTable?
  /// Every checkpointing policy; `nil` where nobody compared, or where there is nothing to choose.
  public var checkpoints: CheckpointTable?
  /// Where it stops fitting; `nil` where nobody looked.
  public var sensitivity: Sensitivity?
  /// The scenario as it was read, for whoever wants to plan it again.
  public var scenario: JSONValue

  /// Plans a scenario, what would make it fit, its ladder and its timeline.
  ///
  /// - Parameter compares: Whether other devices, checkpointing policies and larger sizes are planned as well.
  public init(_ scenario: Scenario, written: JSONValue, compares: Bool = false) throws(PlanError) {
    report = try Planner.plan(scenario)
    if !report.fits { remedies = try? Planner.remedies(for: scenario) }
    ladder = try? Planner.compare(scenario)
    timeline = try? Planner.timeline(of: scenario)
    self.scenario = written
    guard compares else { return }
    devices = try Planner.devices(for: scenario, order: .cost)
    checkpoints = try? Planner.checkpoints(for: scenario)
    sensitivity = try Sensitivity(scenario)
  }
}

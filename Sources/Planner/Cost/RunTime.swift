/// How long a run takes.
public struct RunTime: Hashable, Sendable {
  /// One optimizer step: where all goes well, as expected, where it goes badly.
  public var step: StepTime
  /// Optimizer steps.
  public var steps: Int
  /// Devices that work all the time.
  public var devices: Int
  /// Whether the step was measured by the user, so that there is no range.
  public var isMeasured: Bool

  /// The whole run, in hours.
  public var hours: Double { step.expected.value * Double(steps) / 3600 }
  /// The whole run where all goes well, in hours.
  public var lowHours: Double { step.low.value * Double(steps) / 3600 }
  /// The whole run where it goes badly, in hours.
  public var highHours: Double { step.high.value * Double(steps) / 3600 }
  /// Hours of all devices together.
  public var deviceHours: Double { hours * Double(devices) }

  init(_ report: Report, _ settings: RunSettings, _ length: RunLength) throws(PlanError) {
    steps = length.steps
    devices = report.devices.used
    isMeasured = settings.stepSeconds != nil
    step = report.time
    if let measured = settings.stepSeconds {
      let seconds = try Seconds(measured)
      (step.low, step.expected, step.high) = (seconds, seconds, seconds)
    }
    _ = try Seconds(highHours * Double(devices) * 3600)
  }
}

/// A figure of a plan that a claim can be about.
struct ClaimQuantity: Sendable {
  /// What a claim's `quantity` says.
  let name: String
  /// The unit that the table shows.
  let unit: String
  /// The figure; `nil` where the plan has none.
  let value: @Sendable (Scenario, Report) throws(PlanError) -> Double?

  private init(
    _ name: String, _ unit: String,
    _ value: @escaping @Sendable (Scenario, Report) throws(PlanError) -> Double?
  ) {
    self.name = name
    self.unit = unit
    self.value = value
  }

  /// The quantity of this name, or `nil`.
  static func named(_ name: String) -> Self? { all.first { $0.name == name } }

  /// Every quantity.
  static let all: [Self] = [
    Self("fits", "") { (_, report) throws(PlanError) in report.fits ? 1 : 0 },
    Self("need_gb", "GB") { (_, report) throws(PlanError) in gigabytes(report.need) },
    Self("need_total_gb", "GB") { (_, report) throws(PlanError) in
      gigabytes(report.need) * Double(report.devices.used)
    },
    Self("capacity_gib", "GiB") { (scenario, report) throws(PlanError) in
      scenario.device.memory.gibibytes * Double(scenario.devices ?? report.devices.used)
    },
    Self("parameters", "") { (_, report) throws(PlanError) in Double(report.parameters) },
    Self("weights_gb", "GB") { (_, report) throws(PlanError) in
      gigabytes(report.peak.breakdown[.parameters])
    },
    Self("devices_minimum", "") { (scenario, report) throws(PlanError) in
      try DeviceCountSolver(scenario).least(known: report).map { Double($0.devices) }
    },
    Self("step_seconds", "s") { (_, report) throws(PlanError) in report.time.expected.value },
    Self("tokens_per_second", "tokens/s") { (scenario, report) throws(PlanError) in
      let step = try RunLength(
        .steps(1), scenario.workload, copies: report.devices.copies)
      return Double(step.tokensPerStep) / max(report.time.expected.value, 1e-12)
    },
    Self("watts", "W") { (scenario, _) throws(PlanError) in
      scenario.prices.watts(of: scenario.device)
    },
    Self("device_price", "USD") { (scenario, _) throws(PlanError) in
      scenario.prices.price(of: scenario.device).map { $0.amount * Double(scenario.devices ?? 1) }
    },
    ofRun("tokens", "") { Double($0.length.tokens) },
    ofRun("dataset_gb", "GB") { gigabytes($0.storage.dataset) },
    ofRun("flops", "FLOP") { Double($0.work.flops.count) },
    ofRun("model_flops", "FLOP") { Double($0.work.modelFLOPs.count) },
    ofRun("flops_6nd", "FLOP") { Double($0.work.sixND.count) },
    ofRun("flops_over_6nd", "") { $0.work.overRule },
    ofRun("hours", "h") { $0.time.hours },
    ofRun("hours_low", "h") { $0.time.lowHours },
    ofRun("years", "years") { $0.time.hours / RunCost.hoursPerYear },
    ofRun("device_hours", "device hours") { $0.time.deviceHours },
    ofRun("rented", "USD") { $0.cost.rented },
  ]

  private static func ofRun(
    _ name: String, _ unit: String, _ value: @escaping @Sendable (Run) -> Double?
  ) -> Self {
    Self(name, unit) { (_, report) throws(PlanError) in report.run.flatMap(value) }
  }

  private static func gigabytes(_ bytes: Bytes) -> Double { Double(bytes.count) / 1e9 }
}

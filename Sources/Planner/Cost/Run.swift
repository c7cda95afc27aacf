/// What a whole run takes: tokens, work, time, energy, money, storage.
public struct Run: Hashable, Sendable {
  /// Tokens and optimizer steps.
  public var length: RunLength
  /// Floating-point operations.
  public var work: RunWork
  /// Hours.
  public var time: RunTime
  /// Kilowatt-hours; `nil` where nobody says what the device draws.
  public var energy: RunEnergy?
  /// Money.
  public var cost: RunCost
  /// Disks and networks.
  public var storage: RunStorage
  /// Nodes that the devices are in.
  public var nodes: Int
  /// Devices of a full node.
  public var devicesPerNode: Int
  /// What it was reckoned with.
  public var settings: RunSettings

  /// Reckons the run of a scenario that `report` planned.
  ///
  /// Every copy of the model trains on sequences of its own.
  init(_ scenario: Scenario, _ settings: RunSettings, _ report: Report) throws(PlanError) {
    do throws(PlanError) {
      self.settings = settings
      let devices = report.devices.used
      devicesPerNode = max(1, scenario.interconnect.devicesPerNode)
      nodes = (devices - 1) / devicesPerNode + 1
      length = try RunLength(
        settings.length, scenario.workload, copies: report.devices.copies)
      work = try RunWork(report, length)
      let time = try RunTime(report, settings, length)
      self.time = time
      energy = scenario.prices.watts(of: scenario.device).map {
        RunEnergy(watts: $0, settings, time)
      }
      cost = RunCost(settings, scenario.prices, scenario.device, nodes: nodes, time, energy)
      storage = try RunStorage(scenario, settings, length, nodes: nodes, report)
    } catch {
      guard error.path.isEmpty else { throw error }
      var error = error.inside("run")
      if error.kind == .overflow {
        error.fix = "Make the run shorter, or what it keeps on disks smaller."
      }
      throw error
    }
  }

  /// What was taken for granted, prices with their dates included.
  public var assumptions: [Assumption] {
    var assumptions = settings.defaults
    if let rental = cost.rental {
      assumptions.append(
        Assumption(
          "rental",
          "rented at \(Decimal.text(rental.amount, digits: 2)) \(rental.currency) an hour "
            + "and device: \(rental.provenance)", source: rental.source))
    }
    if let price = cost.price {
      assumptions.append(
        Assumption(
          "price",
          "bought at \(Decimal.text(price.amount, digits: 0)) \(price.currency) a device: "
            + price.provenance, source: price.source))
    }
    assumptions.append(
      Assumption(
        "logs", "\(RunStorage.bytesPerLogEntry) bytes of logs a step",
        source: "log_history in trainer_state.json, transformers 5.17"))
    return assumptions
  }
}

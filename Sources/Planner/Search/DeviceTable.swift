/// Every kind of device for one scenario: how many of it the run takes.
public struct DeviceTable: Sendable {
  /// One kind of device.
  public struct Row: Sendable {
    /// The device.
    public var device: Device
    /// The least number of devices that work, or `nil` where none does.
    public var count: Int?
    /// The plan with that many; without one, the plan with the most that was tried.
    public var report: Report?
    /// Whether states had to be cut over devices, which the scenario does not say.
    public var addsSharding = false
    /// Why it does not work.
    public var reason: String?

    /// What the run takes with that many.
    public var run: Run?

    /// The expected time of a step, communication and transfers included.
    public var seconds: Double? { report?.time.expected.value }

    /// What the run costs, rented or bought, whichever is less; `nil` where nobody says a price.
    public var cost: Double? {
      guard let cost = run?.cost else { return nil }
      return [cost.rented, cost.bought].compactMap(\.self).min()
    }
  }

  /// What the rows are sorted by; devices that do not work come last.
  public enum Order: String, Hashable, Sendable, CaseIterable {
    /// The number of devices, then the time.
    case count
    /// The time of the run.
    case time
    /// The time of a step times the number of devices.
    case work
    /// What the run costs, rented or bought, whichever is less; then the number.
    case cost
  }

  /// Which numbers of devices may be taken.
  public enum Numbers: String, Hashable, Sendable, CaseIterable {
    /// Any number.
    case any
    /// 1, 2, 4, 8, …
    case powers
    /// Whole nodes, where one is not enough.
    case nodes
  }

  /// The scenario's name.
  public let name: String
  /// One row for each device.
  public let rows: [Row]
  /// Devices that no plan is made for, each with the reason.
  public let unplanned: [UnplannedDevice]
  /// How long the run is, and what it is reckoned with.
  public let settings: RunSettings
  /// Whether the scenario says how long the run is; otherwise it is ``tokensToCompare``.
  public let isRunGiven: Bool
  /// The currency of all costs.
  public let currency: String

  /// What is compared where a scenario names no run: a billion tokens.
  public static let tokensToCompare = 1_000_000_000

  /// Solves for each of `catalog`, sorted.
  public init(
    _ scenario: Scenario, catalog: [Device], numbers: Numbers = .any, order: Order = .count
  ) throws(PlanError) {
    name = scenario.name
    isRunGiven = scenario.run != nil
    settings = scenario.run ?? RunSettings(tokens: Self.tokensToCompare)
    currency = settings.currency ?? scenario.prices.currency ?? CatalogPrices.currency
    unplanned = UnplannedDevice.all
    let devices = catalog.filter { $0.kind == .accelerator || scenario.hostMemory != nil }
    let settings = settings
    let solved = Parallel.map(devices.count) { index in
      Result { () throws(PlanError) in
        try Self.row(of: devices[index], scenario, numbers.rounding, settings)
      }
    }
    var rows: [Row] = []
    for row in solved { rows.append(try row.get()) }
    self.rows = rows.enumerated().sorted { a, b in
      let (x, y) = (Self.key(a.element, order), Self.key(b.element, order))
      return x != y ? x.lexicographicallyPrecedes(y) : a.offset < b.offset
    }.map(\.element)
  }

  private static func key(_ row: Row, _ order: Order) -> [Double] {
    guard let count = row.count, let seconds = row.seconds else { return [2, 0, 0] }
    return switch order {
    case .count: [0, Double(count), seconds]
    case .time: [0, row.run?.time.hours ?? seconds, Double(count)]
    case .cost: row.cost.map { [0, $0, Double(count)] } ?? [1, Double(count), seconds]
    case .work: [0, seconds * Double(count), seconds]
    }
  }

  /// A device with the run on as many of it as the training takes.
  private static func row(
    of device: Device, _ scenario: Scenario, _ rounding: DeviceCountSolver.Rounding,
    _ settings: RunSettings
  ) throws(PlanError) -> Row {
    var row = try row(of: device, scenario, rounding)
    guard let report = row.report, row.count != nil else { return row }
    var changed = scenario
    change(&changed, to: device)
    row.run = try Run(changed, settings, report)
    return row
  }

  private static func row(
    of device: Device, _ scenario: Scenario, _ rounding: DeviceCountSolver.Rounding
  ) throws(PlanError) -> Row {
    var changed = scenario
    change(&changed, to: device)
    var row = Row(device: changed.device)
    if device.kind == .processor, !changed.runsOnProcessors {
      row.reason = "the scenario has techniques or kernels of GPUs"
      return row
    }
    do {
      if let solution = try DeviceCountSolver(changed).least(rounding) {
        row.count = solution.devices
        row.report = solution.report
        return row
      }
      if let sharded = sharded(changed),
        let solution = try DeviceCountSolver(sharded).least(rounding)
      {
        row.count = solution.devices
        row.report = solution.report
        row.addsSharding = true
        return row
      }
      row.reason = "no number of devices is enough"
    } catch {
      guard error.kind == .unsupported || error.kind == .conflict else { throw error }
      row.reason = error.message
    }
    return row
  }

  /// Puts the scenario on another device; on processors AdamW runs one tensor after the other.
  private static func change(_ scenario: inout Scenario, to device: Device) {
    // What the scenario says of its own device and links is not said of others.
    if scenario.device.id != device.id { scenario.interconnect = Interconnect(of: device) }
    scenario.device = device
    scenario.devices = nil
    guard device.kind == .processor else { return }
    scenario.device.memory = scenario.hostMemory ?? .zero
    // One host has all states: nothing is cut.
    scenario.strategies.removeAll { $0 is any SpreadingStrategy }
    if let adam = scenario.optimizer as? AdamW, adam.implementation == .foreach {
      scenario.optimizer = AdamW(.forLoop)
    }
  }

  /// The scenario with its states cut over devices, where it does not say how they share them.
  private static func sharded(_ scenario: Scenario) -> Scenario? {
    guard !scenario.strategies.contains(where: { $0 is any SpreadingStrategy }) else { return nil }
    var changed = scenario
    changed.strategies.append(FullyShard(shards: 2))
    guard (try? Planner.decide(changed)) != nil else { return nil }
    return changed
  }
}

extension DeviceTable.Numbers {
  fileprivate var rounding: DeviceCountSolver.Rounding {
    switch self {
    case .any: .any
    case .powers: .powerOfTwo
    case .nodes: .wholeNodes
    }
  }
}

extension Scenario {
  /// Whether nothing in it needs a GPU.
  fileprivate var runsOnProcessors: Bool {
    kernelSet == .torch && optimizer.implementation != .foreach
      && !(optimizer is any BlockwiseOptimizer)
      && !strategies.contains {
        type(of: $0).stage == .placement || ($0 as? LoRA)?.baseQuantization != nil
      }
  }
}

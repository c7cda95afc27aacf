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

    /// The expected time of a step.
    public var seconds: Double? { report?.time.expected.value }
  }

  /// What the rows are sorted by; devices that do not work come last.
  public enum Order: String, Hashable, Sendable, CaseIterable {
    /// The number of devices, then the time.
    case count
    /// The time of a step.
    case time
    /// The time of a step times the number of devices.
    case work
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

  /// Solves for each of `catalog`, sorted.
  public init(
    _ scenario: Scenario, catalog: [Device], numbers: Numbers = .any, order: Order = .count
  ) throws(PlanError) {
    name = scenario.name
    var rows: [Row] = []
    for device in catalog where device.kind == .accelerator {
      rows.append(try Self.row(of: device, scenario, numbers.rounding))
    }
    self.rows = rows.enumerated().sorted { a, b in
      let (x, y) = (Self.key(a.element, order), Self.key(b.element, order))
      return x != y ? x.lexicographicallyPrecedes(y) : a.offset < b.offset
    }.map(\.element)
  }

  private static func key(_ row: Row, _ order: Order) -> [Double] {
    guard let count = row.count, let seconds = row.seconds else { return [1, 0, 0] }
    return switch order {
    case .count: [0, Double(count), seconds]
    case .time: [0, seconds, Double(count)]
    case .work: [0, seconds * Double(count), seconds]
    }
  }

  private static func row(
    of device: Device, _ scenario: Scenario, _ rounding: DeviceCountSolver.Rounding
  ) throws(PlanError) -> Row {
    var changed = scenario
    changed.device = device
    changed.devices = nil
    changed.interconnect = Interconnect(of: device)
    var row = Row(device: device)
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

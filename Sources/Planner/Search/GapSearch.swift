/// Compares a measured run with its plan, and looks for what the scenario may say wrong.
///
/// Each likely difference between a scenario and what really ran is planned for real; those that bring the plan
/// within 2 % of the measurement are named, the nearest first. Two at once are tried where none suffices.
public struct GapSearch: Sendable {
  /// What was measured.
  public enum Quantity: String, CaseIterable, Hashable, Sendable {
    /// Bytes as they were asked for: `requested_bytes.all.peak`.
    case live
    /// `torch.cuda.max_memory_allocated()`, `allocated_bytes.all.peak`.
    case allocated
    /// `torch.cuda.max_memory_reserved()`, `reserved_bytes.all.peak`.
    case reserved
    /// What the device says of the process: nvidia-smi.
    case device

    /// What the plan says of it.
    func predicted(_ report: Report) -> Bytes {
      switch self {
      case .live: report.peak.live
      case .allocated: report.peak.allocated
      case .reserved: report.peak.reserved
      case .device: report.peak.device
      }
    }
  }

  /// A difference that explains the measurement.
  public struct Cause: Hashable, Sendable {
    /// What is different, as the scenario spells it.
    public var change: String
    /// What the plan is then, for each measured quantity.
    public var predicted: [Bytes]
    /// The largest relative distance of a prediction from its measurement, with its sign.
    public var gap: Double
  }

  /// The scenario's name.
  public let name: String
  /// What the plan says of each quantity.
  public let predicted: [Quantity: Bytes]
  /// What was measured; one entry where the quantity is known, all of ``Quantity`` where it is not.
  public let measured: [Quantity: Bytes]
  /// Whether the measurement says which quantity it is.
  public let isNamed: Bool
  /// The quantity whose plan is nearest to the measurement.
  public let nearest: Quantity
  /// Whether the plan is within 5 % of what was measured.
  public let agrees: Bool
  /// What brings the plan within 2 %, the nearest first.
  public let causes: [Cause]
  /// How many differences were planned.
  public let tried: Int

  /// Agreement, and what counts as an explanation.
  private static let (tolerance, close, enough) = (0.05, 0.02, 0.005)
  /// How far off the tensors alone may be, in proportion, for the allocator to make up for it.
  private static let far = 0.15
  /// The same for small runs, whose segments of 20 MiB are mostly free.
  private static let farBytes = 67_108_864.0
  private static let most = 6

  /// Compares figures of which each names its quantity.
  public init(_ scenario: Scenario, measured: [Quantity: Bytes]) throws(PlanError) {
    try self.init(scenario, measured, isNamed: true)
  }

  /// Compares one figure that may be any quantity.
  public init(_ scenario: Scenario, measured: Bytes) throws(PlanError) {
    var all: [Quantity: Bytes] = [:]
    for quantity in Quantity.allCases { all[quantity] = measured }
    try self.init(scenario, all, isNamed: false)
  }

  private init(_ scenario: Scenario, _ measured: [Quantity: Bytes], isNamed: Bool)
    throws(PlanError)
  {
    let report = try Planner.plan(scenario, .report)
    name = scenario.name
    self.measured = measured
    self.isNamed = isNamed
    var predicted: [Quantity: Bytes] = [:]
    for quantity in Quantity.allCases { predicted[quantity] = quantity.predicted(report) }
    self.predicted = predicted
    let present = Quantity.allCases.filter { measured[$0] != nil }
    func gap(_ quantity: Quantity, _ report: Report) -> Double {
      Self.gap(quantity.predicted(report), measured[quantity] ?? .zero)
    }
    var nearest = present.first ?? .allocated
    for quantity in present where abs(gap(quantity, report)) < abs(gap(nearest, report)) {
      nearest = quantity
    }
    self.nearest = nearest
    // A figure without a name is taken for allocated memory unless it is another quantity's.
    let compared =
      isNamed ? present : [abs(gap(nearest, report)) <= Self.close ? nearest : .allocated]
    func worst(_ report: Report) -> Double {
      compared.map { gap($0, report) }.max { abs($0) < abs($1) } ?? 0
    }
    agrees = abs(worst(report)) <= Self.tolerance
    guard abs(worst(report)) > Self.enough else {
      (causes, tried) = ([], 0)
      return
    }
    let changes = GapChanges.all(of: scenario)
    var (found, count): ([Cause], Int) = ([], 0)
    func planned(_ changed: Scenario, _ effort: ReservedMemory.Effort) throws(PlanError) -> Report?
    {
      do { return try Planner.plan(changed, effort) } catch {
        // Changes that exclude each other, or something that the scenario has.
        guard error.kind == .conflict || error.kind == .unsupported || error.kind == .invalid else {
          throw error
        }
        return nil
      }
    }
    func attempt(_ chosen: [GapChanges.Change]) throws(PlanError) {
      var changed = scenario
      for change in chosen { change.apply(&changed) }
      // The tensors alone say which are worth a replay of the allocator.
      guard let rough = try planned(changed, .tensors) else { return }
      count += 1
      let isFar = compared.contains { quantity in
        let beyond =
          Double(quantity.predicted(report).count) / Double(max(1, report.peak.live.count))
        let estimate = Double(rough.peak.live.count) * beyond
        let measured = Double(measured[quantity]?.count ?? 0)
        return abs(estimate - measured) > Self.far * measured + Self.farBytes
      }
      guard !isFar, let report = try planned(changed, .report) else { return }
      let distance = worst(report)
      guard abs(distance) <= Self.close else { return }
      found.append(
        Cause(
          change: chosen.map(\.text).joined(separator: ", "),
          predicted: compared.map { $0.predicted(report) }, gap: distance))
    }
    let before = abs(worst(report))
    for change in changes { try attempt([change]) }
    if found.isEmpty {
      for first in changes.indices {
        for second in changes.indices where second > first {
          if changes[first].key == changes[second].key { continue }
          try attempt([changes[first], changes[second]])
        }
      }
    }
    causes = Array(
      found.filter { abs($0.gap) < before }.enumerated().sorted {
        let (a, b) = (abs($0.element.gap), abs($1.element.gap))
        return a != b ? a < b : $0.offset < $1.offset
      }.map(\.element).prefix(Self.most))
    tried = count
  }

  /// How far a prediction lies from its measurement, relative to that.
  static func gap(_ predicted: Bytes, _ measured: Bytes) -> Double {
    guard measured.count > 0 else { return 1 }
    return (Double(predicted.count) - Double(measured.count)) / Double(measured.count)
  }

  /// How far the plan lies from the measurement of a quantity; `nil` where none was measured.
  public func gap(_ quantity: Quantity) -> Double? {
    guard let measured = measured[quantity], let predicted = predicted[quantity] else { return nil }
    return Self.gap(predicted, measured)
  }
}

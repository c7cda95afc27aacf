/// Finds the least number of devices that a scenario's strategies work on.
///
/// What a device needs falls with the number `n` of devices nearly as `a + b ÷ n`: what is not shared, and what is.
/// Two plans give `a` and `b`, these a first guess, and a bisection around it proves the least number: it fits, and
/// the next smaller one does not.
struct DeviceCountSolver {
  /// Numbers that are worth asking for.
  enum Rounding: Hashable, Sendable {
    /// Any number.
    case any
    /// 1, 2, 4, 8, …
    case powerOfTwo
    /// Whole nodes, where one node is not enough.
    case wholeNodes
  }

  /// What it comes to.
  struct Solution: Sendable {
    /// The number of devices.
    let devices: Int
    /// The plan with them.
    let report: Report
  }

  private let scenario: Scenario
  private let strategy: (any SpreadingStrategy)?
  private let plan: (Scenario) throws(PlanError) -> Report

  /// No run has more devices.
  private static let most = 1 << 16
  /// Smaller numbers that are tried once the bisection is done.
  private static let neighbours = 4

  init(
    _ scenario: Scenario,
    plan: @escaping (Scenario) throws(PlanError) -> Report = {
      (scenario) throws(PlanError) in try Planner.plan(scenario, .verdict)
    }
  ) {
    self.scenario = scenario
    self.plan = plan
    strategy = scenario.strategies.lazy.compactMap { $0 as? any SpreadingStrategy }.first
  }

  /// The least number, or `nil` where no number is enough; `known` is a plan that was made already.
  func least(_ rounding: Rounding = .any, known: Report? = nil) throws(PlanError) -> Solution? {
    guard let strategy else {
      let report: Report
      if let known { report = known } else { report = try plan(scenario) }
      return report.fits ? Solution(devices: report.devices.used, report: report) : nil
    }
    let copy = try Planner.decide(scenario).mesh.devices
    let unit = try checkedProduct(strategy.unit, copy)
    guard strategy.sharesStates else {
      guard let one = try planned(strategy.unit) else { return nil }
      return one.fits ? Solution(devices: unit, report: one) : nil
    }
    let candidates = Candidates(rounding, unit: unit, node: scenario.interconnect)
    return try search(candidates, copy: copy, from: known)
  }

  /// The plan over so many data-parallel devices; `nil` where the strategies do not go with that number.
  private func planned(_ devices: Int) throws(PlanError) -> Report? {
    var other = scenario
    other.devices = nil
    for index in other.strategies.indices {
      guard let spreading = other.strategies[index] as? any SpreadingStrategy else { continue }
      other.strategies[index] = spreading.over(devices)
    }
    do { return try plan(other) } catch {
      guard error.kind == .conflict || error.kind == .unsupported else { throw error }
      return nil
    }
  }

  /// Bisects the candidates for the first that fits, beginning where the two plans so far point to.
  ///
  /// - Parameter copy: Devices that share one copy of the model.
  private func search(_ candidates: Candidates, copy: Int, from known: Report?)
    throws(PlanError) -> Solution?
  {
    var (low, high) = (-1, candidates.count(upTo: Self.most))
    var best: Solution?
    var samples: [(devices: Double, need: Double)] = []
    var guess = 0
    if let known, let index = candidates.index(of: known.devices.used) {
      samples.append((Double(known.devices.used), Double(known.need.count)))
      if known.fits {
        (high, best) = (index, Solution(devices: known.devices.used, report: known))
      } else {
        low = index
      }
      guess = known.fits ? (low + high) / 2 : min(2 * index + 1, high - 1)
    }
    while high - low > 1 {
      let index = min(max(guess, low + 1), high - 1)
      let devices = candidates[index]
      let report = try planned(devices / copy)
      if let report { samples.append((Double(devices), Double(report.need.count))) }
      if let report, report.fits {
        (high, best) = (index, Solution(devices: devices, report: report))
      } else {
        low = index
      }
      // Every third time the middle, whatever the guess: the search is never slower than a bisection's treble.
      guess =
        samples.count % 3 == 0
        ? middle(low, high) : next(low, high, samples.suffix(2), candidates)
    }
    // Uneven shards are padded and addresses fall differently, so that one of the next smaller may fit again.
    for index in max(0, high - Self.neighbours)..<high where best != nil {
      if let report = try planned(candidates[index] / copy), report.fits {
        return Solution(devices: candidates[index], report: report)
      }
    }
    return best
  }

  /// Where `a + b ÷ n` meets the capacity; the middle where that says nothing.
  private func next(
    _ low: Int, _ high: Int, _ samples: ArraySlice<(devices: Double, need: Double)>,
    _ candidates: Candidates
  ) -> Int {
    let middle = middle(low, high)
    guard let first = samples.first, let last = samples.last, first.devices != last.devices else {
      return middle
    }
    let shared = (first.need - last.need) / (1 / first.devices - 1 / last.devices)
    let alone = first.need - shared / first.devices
    let room = Double(scenario.device.memory.count) - alone
    guard shared > 0, room > 0, shared / room < Double(Self.most) else { return middle }
    let index = candidates.firstIndex(atLeast: Int(shared / room))
    // The guess is tried once; if it did not close the gap on its side, its neighbour or the middle does.
    return index <= low ? low + 1 : index >= high ? high - 1 : index
  }

  /// Doubling below an open end, the middle between two known ends.
  private func middle(_ low: Int, _ high: Int) -> Int {
    low >= 0 && high > 4 * (low + 1) ? 2 * low + 1 : (low + high) / 2
  }
}

/// The numbers of devices that may be asked for, in rising order.
private struct Candidates {
  private let rounding: DeviceCountSolver.Rounding
  private let unit: Int
  private let node: Int

  init(_ rounding: DeviceCountSolver.Rounding, unit: Int, node: Interconnect) {
    self.rounding = rounding
    self.unit = max(1, unit)
    self.node = max(1, node.devicesPerNode)
  }

  /// Candidate number `index`.
  subscript(_ index: Int) -> Int {
    switch rounding {
    case .any: unit * (index + 1)
    case .powerOfTwo: unit << index
    case .wholeNodes: index < inNode ? unit * (index + 1) : step * (index - inNode + 2)
    }
  }

  /// Candidates within one node.
  private var inNode: Int { max(1, node / unit) }
  /// Devices of whole nodes that the unit divides.
  private var step: Int { node % unit == 0 ? node : node * unit }

  /// How many candidates are at most `most`.
  func count(upTo most: Int) -> Int {
    switch rounding {
    case .any: max(1, most / unit)
    case .powerOfTwo: max(1, Int.bitWidth - 1 - max(1, most / unit).leadingZeroBitCount + 1)
    case .wholeNodes: inNode + max(0, most / step - 1)
    }
  }

  /// The index of a candidate, or `nil`.
  func index(of devices: Int) -> Int? {
    let index = firstIndex(atLeast: devices)
    return self[index] == devices ? index : nil
  }

  /// The index of the first candidate that is not smaller.
  func firstIndex(atLeast devices: Int) -> Int {
    var (low, high) = (0, count(upTo: 1 << 20))
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < devices { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

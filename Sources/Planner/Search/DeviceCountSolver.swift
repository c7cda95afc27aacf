/// Finds the least number of devices that a scenario's strategies work on.
///
/// What a device needs falls with the number `n` of devices nearly as `a + b ÷ n`: what is not shared, and what is.
/// Two plans give `a` and `b`, these a first guess, and a bisection around it proves the least number: it fits, and
/// the next smaller one does not. One order of addresses is enough to find it; what is found is tried with all.
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
  private let plan: Planning

  /// Plans a scenario, to whatever effort.
  typealias Planning = (Scenario, ReservedMemory.Effort) throws(PlanError) -> Report

  /// No run has more devices.
  fileprivate static let most = 1 << 16
  /// Smaller numbers that are tried once the bisection is done.
  private static let neighbours = 4

  init(
    _ scenario: Scenario,
    plan: @escaping Planning = { (scenario, effort) throws(PlanError) in
      try Planner.plan(scenario, effort)
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
      if let known { report = known } else { report = try plan(scenario, .verdict) }
      return report.fits ? Solution(devices: report.devices.used, report: report) : nil
    }
    let copy = try Planner.decide(scenario).mesh.devices
    let unit = try checkedProduct(strategy.unit, copy)
    guard strategy.sharesStates else {
      guard let one = try planned(strategy.unit, .verdict) else { return nil }
      return one.fits ? Solution(devices: unit, report: one) : nil
    }
    let candidates = Candidates(rounding, unit: unit, node: scenario.interconnect)
    return try search(candidates, copy: copy, from: known)
  }

  /// The plan over so many data-parallel devices; `nil` where the strategies do not go with that number.
  private func planned(_ devices: Int, _ effort: ReservedMemory.Effort) throws(PlanError)
    -> Report?
  {
    var other = scenario
    other.devices = nil
    for index in other.strategies.indices {
      guard let spreading = other.strategies[index] as? any SpreadingStrategy else { continue }
      other.strategies[index] = spreading.over(devices)
    }
    do { return try plan(other, effort) } catch {
      guard error.kind == .conflict || error.kind == .unsupported else { throw error }
      return nil
    }
  }

  /// The first candidate that fits, and the plan with it.
  ///
  /// - Parameter copy: Devices that share one copy of the model.
  private func search(_ candidates: Candidates, copy: Int, from known: Report?)
    throws(PlanError) -> Solution?
  {
    var bisection = Bisection(candidates, upTo: Self.most)
    if let known { bisection.begin(with: known) }
    try bisect(&bisection, copy, .quick)
    guard bisection.best != nil else { return nil }
    // Uneven shards are padded and addresses fall differently, so that one of the next smaller may fit again.
    for index in max(0, bisection.high - Self.neighbours)...bisection.high {
      let devices = candidates[index]
      if let known, known.devices.used == devices, known.fits {
        return Solution(devices: devices, report: known)
      }
      if let report = try planned(devices / copy, .verdict), report.fits {
        return Solution(devices: devices, report: report)
      }
    }
    // Another order of addresses takes more devices than the first one.
    bisection.refute()
    try bisect(&bisection, copy, .verdict)
    return bisection.best
  }

  /// Narrows a bisection down to the first candidate that fits.
  private func bisect(
    _ bisection: inout Bisection, _ copy: Int, _ effort: ReservedMemory.Effort
  ) throws(PlanError) {
    while let index = bisection.next {
      let report = try planned(bisection.candidates[index] / copy, effort)
      bisection.take(report, of: index, memory: scenario.device.memory)
    }
  }
}

/// A search for the first number of devices that fits, led by what the plans so far need.
private struct Bisection {
  let candidates: Candidates
  /// How many candidates there are.
  let count: Int
  /// The last one that does not fit, or -1.
  private var low = -1
  /// The first one that is known to fit, or ``count``.
  private(set) var high: Int
  /// The plan of ``high``.
  private(set) var best: DeviceCountSolver.Solution?
  private var samples: [(devices: Double, need: Double)] = []
  private var guess = 0

  init(_ candidates: Candidates, upTo most: Int) {
    self.candidates = candidates
    count = candidates.count(upTo: most)
    high = count
  }

  /// Takes in a plan that was made already.
  mutating func begin(with known: Report) {
    guard let index = candidates.index(of: known.devices.used), index < count else { return }
    take(known, of: index)
    guess = known.fits ? (low + high) / 2 : min(2 * index + 1, high - 1)
  }

  /// Takes in a plan that was asked for; `nil` where the strategies do not go with that number.
  ///
  /// - Parameter memory: What a device has.
  mutating func take(_ report: Report?, of index: Int, memory: Bytes) {
    take(report, of: index)
    // Every third time the middle, whatever the guess: the search is never slower than a bisection's treble.
    guess = samples.count % 3 == 0 ? middle : led(by: samples.suffix(2), memory)
  }

  private mutating func take(_ report: Report?, of index: Int) {
    if let report {
      samples.append((Double(candidates[index]), Double(report.need.count)))
    }
    if let report, report.fits {
      high = index
      best = DeviceCountSolver.Solution(devices: candidates[index], report: report)
    } else {
      low = index
    }
  }

  /// The candidate to try, or `nil` where the search is over.
  var next: Int? { high - low > 1 ? min(max(guess, low + 1), high - 1) : nil }

  /// What was taken to fit does not: only larger numbers are left.
  mutating func refute() {
    (low, high, best) = (high, count, nil)
    guess = low + 1
  }

  /// Where `a + b ÷ n` meets the capacity; the middle where that says nothing.
  private func led(by samples: ArraySlice<(devices: Double, need: Double)>, _ memory: Bytes) -> Int
  {
    guard let first = samples.first, let last = samples.last, first.devices != last.devices else {
      return middle
    }
    let shared = (first.need - last.need) / (1 / first.devices - 1 / last.devices)
    let alone = first.need - shared / first.devices
    let room = Double(memory.count) - alone
    guard shared > 0, room > 0, shared / room < Double(DeviceCountSolver.most) else {
      return middle
    }
    let index = candidates.firstIndex(atLeast: Int(shared / room))
    // The guess is tried once; if it did not close the gap on its side, its neighbour or the middle does.
    return index <= low ? low + 1 : index >= high ? high - 1 : index
  }

  /// Doubling below an open end, the middle between two known ends.
  private var middle: Int {
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

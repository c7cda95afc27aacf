import Testing

@testable import Planner

@Suite("The fold of a schedule") struct FoldTests {
  /// Everything a schedule does, one event at a time.
  struct Walk {
    var live = 0
    var rounded = 0
    var peaks = Array(repeating: Int.min, count: 3)
    var roundedPeaks = Array(repeating: Int.min, count: 3)
    var roles = Array(repeating: 0, count: Role.allCases.count)
    var rolesAtPeak: [[Int]] = Array(repeating: [], count: 3)
    var phase = -1

    init(_ schedule: Schedule) { run(schedule, 0..<schedule.events.count) }

    private mutating func run(_ schedule: Schedule, _ range: Range<Int>) {
      var index = range.lowerBound
      while index < range.upperBound {
        let event = schedule.events[index]
        switch event.kind {
        case .memory:
          live += event.bytes * Int(event.count)
          rounded += (event.bytes + 511) / 512 * 512 * Int(event.count)
          roles[Int(event.role.rawValue)] += event.bytes * Int(event.count)
        case .phase: phase = Int(event.count)
        case .repeatBegin:
          var depth = 1
          var end = index + 1
          while depth > 0 {
            if schedule.events[end].kind == .repeatBegin { depth += 1 }
            if schedule.events[end].kind == .repeatEnd { depth -= 1 }
            end += 1
          }
          for _ in 0..<event.count { run(schedule, index + 1..<end - 1) }
          index = end - 1
        default: break
        }
        if phase >= 0 {
          if live > peaks[phase] {
            peaks[phase] = live
            rolesAtPeak[phase] = roles
          }
          roundedPeaks[phase] = max(roundedPeaks[phase], rounded)
        }
        index += 1
      }
    }
  }

  /// A random program of allocations, releases, phases and nested repetitions.
  static func random(_ seed: UInt64) -> Schedule {
    var generator = SplitMix(state: seed)
    var schedule = Schedule()
    func block(_ depth: Int, _ generator: inout SplitMix) {
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        switch Int.random(in: 0...9, using: &generator) {
        case 0...4:
          schedule.allocate(
            Int.random(in: 0...5000, using: &generator),
            count: Int.random(in: 1...3, using: &generator), randomRole(&generator), 0)
        case 5...7:
          schedule.free(
            Int.random(in: 0...5000, using: &generator), randomRole(&generator), 0)
        default:
          guard depth < 3 else { break }
          schedule.beginRepeat(Int.random(in: 1...5, using: &generator))
          block(depth + 1, &generator)
          schedule.endRepeat()
        }
      }
    }
    func randomRole(_ generator: inout SplitMix) -> Role {
      Role.allCases.randomElement(using: &generator) ?? .other
    }
    block(0, &generator)
    for phase in Phase.allCases {
      schedule.begin(phase)
      block(0, &generator)
    }
    return schedule
  }

  @Test("equals a walk over every copy of every event") func foldIsExact() throws {
    for seed in 0..<2000 as Range<UInt64> {
      let schedule = Self.random(seed)
      let fold = try MemoryFold(schedule)
      let walk = Walk(schedule)
      #expect(fold.peaks.map(\.live) == walk.peaks, "seed \(seed)")
      #expect(fold.peaks.map(\.rounded) == walk.roundedPeaks, "seed \(seed)")
      #expect(fold.net == walk.live, "seed \(seed)")
    }
  }

  @Test("finds what is alive at the peak") func breakdownIsExact() throws {
    for seed in 0..<2000 as Range<UInt64> {
      let schedule = Self.random(seed)
      let fold = try MemoryFold(schedule)
      for peak in fold.peaks {
        let place = PeakLocator(peak, in: schedule)
        let sum = Role.allCases.reduce(0) { $0 + place.breakdown[$1].count }
        #expect(sum == peak.live, "seed \(seed)")
      }
    }
  }

  @Test("refuses sums beyond 64 bits instead of trapping") func overflow() throws {
    var schedule = Schedule()
    schedule.allocate(.max / 2, count: 3, .other, 0)
    #expect(throws: PlanError.self) { try MemoryFold(schedule) }
  }
}

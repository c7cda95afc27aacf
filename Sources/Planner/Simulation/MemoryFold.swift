/// The memory of a schedule: each phase's highest point, and what is live there.
///
/// Two pieces of schedule one after the other have the net `a + b` and the peak `max(a.peak, a.net + b.peak)`;
/// `n` copies have the net `n·a` and the peak `a.peak + max(0, (n − 1)·a.net)`, since the start of copy `i` lies on
/// a straight line. So a repetition costs as much as one copy.
struct MemoryFold {
  /// A phase's highest point.
  struct Peak: Hashable {
    /// Bytes of live tensors.
    var live = 0
    /// The event that reaches it.
    var event = -1
    /// Bit d set: in the last copy of the repetition at depth d, else in the first.
    var last: UInt64 = 0
    /// Bytes of live tensors, each rounded up to 512, at their own highest point.
    var rounded = 0
  }

  /// The peaks in the order of ``Phase``; a phase that has no event has the peak of its start.
  private(set) var peaks: [Peak] = Array(repeating: Peak(), count: Phase.allCases.count)
  /// Bytes alive after the last event.
  private(set) var net = 0

  private struct Level {
    var net = 0
    var netRounded = 0
    var peaks: (Peak, Peak, Peak)
    var count = 1
    static let nothing = Peak(live: .min / 4, event: -1, last: 0, rounded: .min / 4)
    init(count: Int) {
      self.count = count
      peaks = (Self.nothing, Self.nothing, Self.nothing)
    }
  }

  /// Folds a schedule; throws where a sum leaves 64 bits.
  init(_ schedule: Schedule) throws(PlanError) {
    var outer: [Level] = []
    var level = Level(count: 1)
    var phase = Int32(-1)
    var overflow = false
    var now = Level.nothing

    func add(_ a: Int, _ b: Int) -> Int {
      let (sum, o) = a.addingReportingOverflow(b)
      overflow = overflow || o
      return sum
    }
    func multiply(_ a: Int, _ b: Int) -> Int {
      let (product, o) = a.multipliedReportingOverflow(by: b)
      overflow = overflow || o
      return product
    }
    func store() {
      switch phase {
      case 0: level.peaks.0 = now
      case 1: level.peaks.1 = now
      case 2: level.peaks.2 = now
      default: break
      }
    }
    func load() {
      switch phase {
      case 0: now = level.peaks.0
      case 1: now = level.peaks.1
      case 2: now = level.peaks.2
      default: now = Level.nothing
      }
    }
    func enter(_ index: Int) {
      if level.net > now.live { now.live = level.net; now.event = index; now.last = 0 }
      now.rounded = max(now.rounded, level.netRounded)
    }

    for (index, event) in schedule.events.enumerated() {
      switch event.kind {
      case .memory:
        let count = Int(event.count)
        level.net = add(level.net, multiply(event.bytes, count))
        level.netRounded = add(level.netRounded, multiply(Self.rounded(event.bytes), count))
        if count > 0 { enter(index) }
      case .phase:
        store()
        phase = event.count
        load()
        enter(index)
      case .repeatBegin:
        store()
        outer.append(level)
        level = Level(count: Int(event.count))
        load()
        if phase >= 0 { enter(index) }
      case .repeatEnd:
        store()
        guard let parent = outer.popLast() else { break }
        let (inner, depth) = (level, UInt64(min(outer.count, 63)))
        level = parent
        let climb = max(0, multiply(inner.count - 1, inner.net))
        let climbRounded = max(0, multiply(inner.count - 1, inner.netRounded))
        func merge(_ mine: inout Peak, _ theirs: Peak) {
          guard theirs.event >= 0 else { return }
          let live = add(add(parent.net, climb), theirs.live)
          if live > mine.live {
            mine.live = live
            mine.event = theirs.event
            mine.last = theirs.last | (climb > 0 ? 1 << depth : 0)
          }
          mine.rounded = max(
            mine.rounded, add(add(parent.netRounded, climbRounded), theirs.rounded))
        }
        merge(&level.peaks.0, inner.peaks.0)
        merge(&level.peaks.1, inner.peaks.1)
        merge(&level.peaks.2, inner.peaks.2)
        level.net = add(parent.net, multiply(inner.count, inner.net))
        level.netRounded = add(parent.netRounded, multiply(inner.count, inner.netRounded))
        load()
      case .layer, .outside, .update, .hostWait, .hostMark: break
      }
    }
    store()
    guard !overflow else { throw .overflow("bytes", "the sum of all tensors") }
    peaks = [level.peaks.0, level.peaks.1, level.peaks.2]
    net = level.net
  }

  /// The size of the block that the caching allocator hands out for a tensor of `bytes`.
  static func rounded(_ bytes: Int) -> Int { (bytes &+ 511) & ~511 }
}

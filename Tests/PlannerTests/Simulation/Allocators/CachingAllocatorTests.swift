import Testing

@testable import Planner

@Suite("The caching allocator") struct CachingAllocatorTests {
  private let mebi = 1 << 20

  @Test("takes segments of 2, 20 and whole 2 MiB, and splits what is worth it") func segments()
    throws
  {
    var allocator = CachingAllocator()
    func reserved() -> Int { allocator.statistics.reserved.current / mebi }
    try allocator.take(1)
    #expect(reserved() == 2)
    #expect(allocator.statistics.inactiveSplit.current == 2 * mebi - 512)
    try allocator.take(mebi)
    #expect(reserved() == 2)
    let first = try allocator.take(mebi + 1)
    #expect(reserved() == 22)
    let second = try allocator.take(10 * mebi - 1)
    #expect(reserved() == 22)
    try allocator.take(10 * mebi)
    #expect(reserved() == 32)
    let before = allocator.statistics.allocated.current
    try allocator.take(11 * mebi)
    #expect(reserved() == 44)
    #expect(allocator.statistics.allocated.current - before == 12 * mebi)
    allocator.free(first)
    allocator.free(second)
    #expect(allocator.largestFreeBlock == 20 * mebi)
    let all = allocator.statistics.allocated.current
    let whole = try allocator.take(19 * mebi)
    #expect(allocator.statistics.allocated.current - all == 20 * mebi)
    allocator.free(whole)
    try allocator.take(19 * mebi - 512)
    #expect(allocator.statistics.allocated.current - all == 19 * mebi - 512)
    #expect(reserved() == 44)
  }

  @Test("grows segments in place") func expandable() throws {
    var settings = AllocatorSettings()
    settings.expandableSegments = true
    var allocator = CachingAllocator(AllocatorRules(settings))
    func reserved() -> Int { allocator.statistics.reserved.current / mebi }
    let small = try allocator.take(3 * mebi)
    #expect(reserved() == 20)
    let middle = try allocator.take(30 * mebi)
    #expect(reserved() == 40)
    allocator.free(small)
    try allocator.take(50 * mebi)
    #expect(reserved() == 100)
    allocator.free(middle)
    #expect(reserved() == 100)
    allocator.releaseCached()
    #expect(reserved() == 80)
  }

  @Test("gives its cache back before it is out of memory") func outOfMemory() throws {
    var allocator = CachingAllocator(memory: DeviceMemory(capacity: 100 * mebi))
    let first = try allocator.take(60 * mebi)
    allocator.free(first)
    let second = try allocator.take(80 * mebi)
    #expect(allocator.statistics.retries == 1)
    #expect(allocator.statistics.reserved.current == 80 * mebi)
    let failed = allocator.allocate(30 * mebi)
    #expect(failed == nil)
    #expect(allocator.statistics.outOfMemory == 1)
    allocator.free(second)
    try allocator.take(100 * mebi)
    #expect(allocator.statistics.reserved.current == 100 * mebi)
  }

  @Test("does not split above max_split_size, nor waste a large block on less") func maxSplit()
    throws
  {
    var settings = AllocatorSettings()
    settings.maxSplitSizeMiB = 64
    var allocator = CachingAllocator(AllocatorRules(settings))
    let large = try allocator.take(100 * mebi)
    allocator.free(large)
    // Smaller than the limit: the large block is left alone.
    try allocator.take(32 * mebi)
    #expect(allocator.statistics.reserved.current == 132 * mebi)
    // Within 20 MiB of it: taken whole.
    let again = try allocator.take(90 * mebi)
    #expect(allocator.statistics.reserved.current == 132 * mebi)
    #expect(allocator.statistics.allocated.current == 132 * mebi)
    allocator.free(again)
    try allocator.take(70 * mebi)
    #expect(allocator.statistics.reserved.current == 202 * mebi)
  }

  @Test("rounds up between powers of two") func divisions() {
    var settings = AllocatorSettings()
    settings.roundupPower2Divisions = 4
    let rules = AllocatorRules(settings)
    // c10/cuda's own example: 1,200 with four divisions, but not below 512 times as many.
    #expect(rules.rounded(1200) == 1536)
    #expect(rules.rounded(5000) == 5120)
    #expect(rules.rounded(5121) == 6144)
    #expect(rules.rounded(8192) == 8192)
    #expect(rules.rounded(1) == 512)
    #expect(AllocatorRules().rounded(1200) == 1536)
  }

  @Test("keeps the memory of streams apart") func streams() throws {
    var allocator = CachingAllocator()
    let block = try allocator.take(30 * mebi, stream: 1)
    allocator.free(block)
    try allocator.take(30 * mebi, stream: 0)
    #expect(allocator.statistics.reserved.current == 60 * mebi)
    try allocator.take(30 * mebi, stream: 1)
    #expect(allocator.statistics.reserved.current == 60 * mebi)
  }

  @Test("waits for other streams before it hands a block out again") func pending() throws {
    var allocator = CachingAllocator()
    let block = try allocator.take(30 * mebi)
    allocator.use(block)
    allocator.free(block)
    #expect(allocator.statistics.allocated.current == 0)
    try allocator.take(30 * mebi)
    #expect(allocator.statistics.reserved.current == 60 * mebi)
    allocator.synchronize()
    try allocator.take(30 * mebi)
    #expect(allocator.statistics.reserved.current == 60 * mebi)
  }

  @Test("adds up, and gives everything back") func balance() throws {
    for seed in 0..<20 as Range<UInt64> {
      var random = SplitMix(state: seed)
      var settings = AllocatorSettings()
      settings.expandableSegments = seed % 3 == 1
      if seed % 3 == 2 { settings.maxSplitSizeMiB = 32 }
      var allocator = CachingAllocator(
        AllocatorRules(settings), memory: DeviceMemory(capacity: 4 << 30))
      var live: [(block: Int32, bytes: Int)] = []
      for _ in 0..<3000 {
        if live.count > 60 || (!live.isEmpty && random.next() % 2 == 0) {
          let index = Int(random.next() % UInt64(live.count))
          allocator.free(live[index].block)
          live.swapAt(index, live.count - 1)
          live.removeLast()
        } else {
          let bytes = 1 + Int(random.next() % (1 << (5 + random.next() % 23)))
          guard let block = allocator.allocate(bytes, stream: UInt8(random.next() % 2)) else {
            continue
          }
          live.append((block, bytes))
        }
        let statistics = allocator.statistics
        #expect(live.reduce(0) { $0 + $1.bytes } <= statistics.allocated.current)
        #expect(statistics.allocated.current <= statistics.reserved.current)
        #expect(statistics.reserved.current == allocator.memory.used)
      }
      let pieces = allocator.segments
      #expect(
        pieces.joined().reduce(0) { $0 + $1.size } == allocator.statistics.reserved.current)
      for entry in live { allocator.free(entry.block) }
      allocator.releaseCached()
      #expect(allocator.statistics.reserved.current == 0, "seed \(seed)")
      #expect(allocator.statistics.inactiveSplit.current == 0, "seed \(seed)")
      #expect(allocator.statistics.allocated.current == 0, "seed \(seed)")
    }
  }
}

extension CachingAllocator {
  /// Allocates, and fails the test where memory is out.
  @discardableResult mutating func take(_ bytes: Int, stream: UInt8 = 0) throws -> Int32 {
    let block = allocate(bytes, stream: stream)
    return try #require(block)
  }
}

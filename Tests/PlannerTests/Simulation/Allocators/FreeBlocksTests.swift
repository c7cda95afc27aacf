import Testing

@testable import Planner

@Suite("Free blocks in their order") struct FreeBlocksTests {
  private struct Key: Comparable {
    var size: Int
    var address: Int
    static func < (left: Key, right: Key) -> Bool {
      (left.size, left.address) < (right.size, right.address)
    }
  }

  /// Against an array that is kept in order.
  @Test("find what a search through all of them finds", arguments: 0..<4 as Range<UInt64>)
  func order(_ seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    var free = FreeBlocks()
    var all: [Key] = []
    for _ in 0..<4_000 {
      let size = 512 * Int.random(in: 1...40, using: &generator)
      switch Int.random(in: 0..<6, using: &generator) {
      case 0, 1, 2:
        let key = Key(
          size: size, address: .random(in: -1_000_000_000...1_000_000_000, using: &generator))
        guard all.count < 500, !all.contains(key) else { continue }
        free.insert(.init(size: key.size, address: key.address, block: 1))
        all.insert(key, at: all.firstIndex { $0 > key } ?? all.count)
      case 3:
        guard !all.isEmpty else { continue }
        let key = all.remove(at: .random(in: 0..<all.count, using: &generator))
        free.remove(size: key.size, address: key.address)
      case 4:
        guard !all.isEmpty else { continue }
        let old = all.remove(at: .random(in: 0..<all.count, using: &generator))
        let key = Key(
          size: max(512, old.size + 512 * .random(in: -2...2, using: &generator)),
          address: old.address)
        let place = free.place(of: old.size, at: old.address)
        free.replace(at: place, with: .init(size: key.size, address: key.address, block: 1))
        all.insert(key, at: all.firstIndex { $0 > key } ?? all.count)
      default:
        let found = free[free.first(atLeast: size)]
        let expected = all.first { $0.size >= size }
        #expect(found?.size == expected?.size && found?.address == expected?.address)
      }
      #expect(free.count == all.count && free.largest?.address == all.last?.address)
    }
    #expect(free.entries.map { Key(size: $0.size, address: $0.address) } == all)
    var place = free.first(atLeast: 0)
    for key in all {
      #expect(free[place]?.address == key.address)
      place = free.after(place)
    }
    let end = free[place]
    #expect(end?.block == nil)
  }
}

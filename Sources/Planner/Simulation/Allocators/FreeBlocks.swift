/// Free blocks in the order of their sizes, then of their addresses: where best fit searches.
///
/// Sorted runs of bounded length, so that a step costs a binary search and the move of one run's tail.
struct FreeBlocks: ~Copyable, Sendable {
  /// A free block.
  struct Entry: Sendable {
    let size: Int
    let address: Int
    let block: Int32
  }

  /// A place between the first entry and the end.
  struct Place: Hashable, Sendable {
    fileprivate(set) var run: Int
    fileprivate(set) var index: Int
  }

  /// A run: where its entries are, and the last of them.
  ///
  /// It is not private, since Swift 6.3.1 fails on lists without copies of types that are.
  struct Run: Sendable {
    var slot: Int
    var count = 0
    var size = 0
    var address = 0
  }

  /// Room for `longest` entries in each slot; a run uses the beginning of one.
  private var storage: OwnedArray<Entry>
  private var runs = OwnedArray<Run>()
  /// Slots that no run uses.
  private var spare = OwnedArray<Int>()
  /// How many there are.
  private(set) var count = 0
  private static let longest = 32
  private static let nothing = Entry(size: 0, address: 0, block: -1)

  init() {
    storage = OwnedArray(capacity: Self.longest)
    runs.append(Run(slot: 0))
    addSlot()
  }

  private mutating func addSlot() {
    for _ in 0..<Self.longest { storage.append(Self.nothing) }
  }

  /// The entry of the largest block.
  var largest: Entry? {
    let run = runs[runs.count - 1]
    guard run.count > 0 else { return nil }
    return storage[run.slot * Self.longest + run.count - 1]
  }

  /// The entry at a place, or `nil` at the end.
  subscript(_ place: Place) -> Entry? {
    guard place.run < runs.count, place.index < runs[place.run].count else { return nil }
    return storage[runs[place.run].slot * Self.longest + place.index]
  }

  /// The first block of at least `size` bytes.
  func first(atLeast size: Int) -> Place {
    place { other, _ in other < size }
  }

  /// Where a block of a size at an address stands, or would.
  func place(of size: Int, at address: Int) -> Place {
    place { Self.precedes($0, $1, size, address) }
  }

  /// Halving without branches: the comparisons come out either way, and a wrong guess costs more than they do.
  ///
  /// - Parameter isBefore: Whether a size and an address lie before what is looked for.
  @inline(__always)
  private func place(where isBefore: (Int, Int) -> Bool) -> Place {
    let (run, slot, count) = runs.withBuffer { runs in
      var (low, left) = (0, runs.count &- 1)
      while left > 0 {
        let half = (left &+ 1) >> 1
        let last = runs[low &+ half &- 1]
        low &+= isBefore(last.size, last.address) ? half : 0
        left &-= half
      }
      return (low, runs[low].slot, runs[low].count)
    }
    let index = storage.withBuffer { entries in
      let base = slot &* Self.longest
      var (low, left) = (base, count)
      while left > 0 {
        let half = (left &+ 1) >> 1
        let entry = entries[low &+ half &- 1]
        low &+= isBefore(entry.size, entry.address) ? half : 0
        left &-= half
      }
      return low &- base
    }
    return Place(run: run, index: index)
  }

  /// Whether a size and an address lie before others; sizes are not negative.
  @inline(__always)
  private static func precedes(_ size: Int, _ address: Int, _ other: Int, _ from: Int) -> Bool {
    size &- other &- (address < from ? 1 : 0) < 0
  }

  /// The place behind one.
  func after(_ place: Place) -> Place {
    guard place.run < runs.count else { return place }
    if place.index + 1 < runs[place.run].count || place.run + 1 == runs.count {
      return Place(run: place.run, index: place.index + 1)
    }
    return Place(run: place.run + 1, index: 0)
  }

  /// The place ahead of one, or `nil` at the first.
  func before(_ place: Place) -> Place? {
    if place.index > 0 { return Place(run: place.run, index: place.index - 1) }
    guard place.run > 0 else { return nil }
    return Place(run: place.run - 1, index: runs[place.run - 1].count - 1)
  }

  /// Adds a block.
  mutating func insert(_ entry: Entry) {
    var place = place(of: entry.size, at: entry.address)
    if runs[place.run].count == Self.longest { place = halve(place) }
    var run = runs[place.run]
    let at = run.slot &* Self.longest &+ place.index
    storage.move(run.count &- place.index, from: at, to: at &+ 1)
    storage[at] = entry
    if place.index == run.count { (run.size, run.address) = (entry.size, entry.address) }
    run.count &+= 1
    runs[place.run] = run
    count &+= 1
  }

  /// Makes two runs of one that is full.
  ///
  /// - Returns: The same place.
  private mutating func halve(_ place: Place) -> Place {
    let half = Self.longest / 2
    var tail = Run(slot: spare.popLast() ?? storage.count / Self.longest)
    if tail.slot &* Self.longest == storage.count { addSlot() }
    let slot = runs[place.run].slot
    for index in half..<Self.longest {
      storage[tail.slot &* Self.longest &+ index &- half] = storage[slot &* Self.longest &+ index]
    }
    (tail.size, tail.address) = (runs[place.run].size, runs[place.run].address)
    tail.count = Self.longest - half
    let last = storage[slot &* Self.longest &+ half &- 1]
    (runs[place.run].size, runs[place.run].address) = (last.size, last.address)
    runs[place.run].count = half
    runs.insert(tail, at: place.run + 1)
    return place.index <= half
      ? place : Place(run: place.run + 1, index: place.index - half)
  }

  /// Removes the block at a place.
  mutating func remove(at place: Place) {
    guard place.run < runs.count, place.index < runs[place.run].count else { return }
    var run = runs[place.run]
    let at = run.slot &* Self.longest &+ place.index
    storage.move(run.count &- place.index &- 1, from: at &+ 1, to: at)
    run.count &-= 1
    count &-= 1
    if run.count == 0, runs.count > 1 {
      runs.remove(at: place.run)
      spare.append(run.slot)
      return
    }
    if place.index == run.count, run.count > 0 {
      (run.size, run.address) = (storage[at &- 1].size, storage[at &- 1].address)
    }
    runs[place.run] = run
  }

  /// Puts another block where one is: in its place where the order allows it, which spares a search.
  mutating func replace(at place: Place, with entry: Entry) {
    guard place.run < runs.count, place.index < runs[place.run].count else {
      return insert(entry)
    }
    let run = runs[place.run]
    let at = run.slot &* Self.longest &+ place.index
    let isLast = place.index &+ 1 == run.count
    // The first of a run may only grow and the last only shrink: their neighbours lie in other runs.
    guard
      place.index == 0
        ? place.run == 0 || !Self.precedes(entry, storage[at])
        : Self.precedes(storage[at &- 1], entry),
      isLast
        ? place.run &+ 1 == runs.count || !Self.precedes(storage[at], entry)
        : Self.precedes(entry, storage[at &+ 1])
    else {
      remove(at: place)
      return insert(entry)
    }
    storage[at] = entry
    if isLast { (runs[place.run].size, runs[place.run].address) = (entry.size, entry.address) }
  }

  @inline(__always)
  private static func precedes(_ one: Entry, _ other: Entry) -> Bool {
    one.size < other.size || (one.size == other.size && one.address < other.address)
  }

  /// Removes the block of this size and address.
  mutating func remove(size: Int, address: Int) {
    remove(at: place(of: size, at: address))
  }

  /// All entries, smallest first.
  var entries: [Entry] {
    var entries: [Entry] = []
    entries.reserveCapacity(count)
    for index in runs.indices {
      let run = runs[index]
      for place in 0..<run.count { entries.append(storage[run.slot * Self.longest + place]) }
    }
    return entries
  }
}

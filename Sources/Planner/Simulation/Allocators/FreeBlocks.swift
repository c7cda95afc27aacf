/// Free blocks in the order of their sizes, then of their addresses: where best fit searches.
///
/// Sorted runs of bounded length, so that a step costs a binary search and the move of one run's tail.
struct FreeBlocks: Sendable {
  /// A free block.
  struct Entry: Sendable {
    let size: Int
    let address: Int
    let block: Int32

    /// Whether it lies before a size and an address.
    func precedes(_ size: Int, _ address: Int) -> Bool {
      self.size < size || (self.size == size && self.address < address)
    }
  }

  /// A place between the first entry and the end.
  struct Place: Hashable, Sendable {
    fileprivate(set) var run: Int
    fileprivate(set) var index: Int
  }

  private var runs: [ContiguousArray<Entry>] = [[]]
  /// How many there are.
  private(set) var count = 0
  private static let longest = 64

  /// The entry of the largest block.
  var largest: Entry? { runs.last?.last }

  /// The entry at a place, or `nil` at the end.
  subscript(_ place: Place) -> Entry? {
    place.run < runs.count && place.index < runs[place.run].count
      ? runs[place.run][place.index] : nil
  }

  /// The first block of at least `size` bytes; of equal ones that with the lowest address from `address` on.
  func first(atLeast size: Int, from address: Int = .min) -> Place {
    var run = 0
    if runs.count > 1 {
      var (low, high) = (0, runs.count - 1)
      while low < high {
        let middle = (low + high) / 2
        if let last = runs[middle].last, last.precedes(size, address) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      run = low
    }
    return Place(run: run, index: Self.lowerBound(runs[run], size, address))
  }

  private static func lowerBound(_ run: ContiguousArray<Entry>, _ size: Int, _ address: Int) -> Int
  {
    run.withUnsafeBufferPointer { run in
      var (low, count) = (0, run.count)
      while count > 0 {
        let half = count / 2
        let precedes = run[low &+ half].precedes(size, address)
        low = precedes ? low &+ half &+ 1 : low
        count = precedes ? count &- half &- 1 : half
      }
      return low
    }
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
    let place = first(atLeast: entry.size, from: entry.address)
    runs[place.run].insert(entry, at: place.index)
    count += 1
    guard runs[place.run].count > Self.longest else { return }
    let half = Self.longest / 2
    let tail = ContiguousArray(runs[place.run][half...])
    runs[place.run].removeSubrange(half...)
    runs.insert(tail, at: place.run + 1)
  }

  /// Removes the block at a place.
  mutating func remove(at place: Place) {
    guard self[place] != nil else { return }
    runs[place.run].remove(at: place.index)
    count -= 1
    if runs[place.run].isEmpty, runs.count > 1 { runs.remove(at: place.run) }
  }

  /// Removes the block of this size and address.
  mutating func remove(size: Int, address: Int) {
    remove(at: first(atLeast: size, from: address))
  }

  /// All entries, smallest first.
  var entries: [Entry] { runs.flatMap { $0 } }
}

/// PyTorch's caching allocator of device memory, on numbers.
///
/// Memory comes from the driver in segments; blocks are cut from them by best fit and merge again when they are
/// freed; segments stay. What the device must have is what the segments come to, not what the blocks do.
///
/// Source: `c10/cuda/CUDACachingAllocator.cpp`, PyTorch 2.11: `malloc`, `get_free_block`, `alloc_block`,
/// `should_split`, `free_block`, `try_merge_blocks`, `release_cached_blocks`.
struct CachingAllocator: ~Copyable, Sendable {
  /// A piece of a segment, or of a segment's address range that has no memory yet.
  struct Block: Sendable {
    var address: Int
    var size: Int
    var requested = 0
    /// The neighbours in the segment, or -1.
    var previous: Int32 = -1
    var next: Int32 = -1
    let pool: Int32
    var isAllocated = false
    /// Whether there is memory behind the addresses.
    var isMapped = true
    /// Whether it was freed while other streams still used it.
    var isPending = false

    /// Its size, as it is handed out for `bytes`.
    mutating func handOut(_ bytes: Int) -> Int {
      isAllocated = true
      requested = bytes
      return size
    }
  }

  /// A block that was freed while another stream read it.
  struct Pending: Sendable {
    var block: Int32
    /// When it was freed, in what the caller counts.
    var time: Int32
    /// Whether the model's own stream reads it.
    var isComputed: Bool
  }

  /// Free blocks of one stream and kind, which blocks never leave.
  struct Pool: ~Copyable, Sendable {
    var isSmall: Bool
    var free = FreeBlocks()
    /// Address ranges without memory, lowest first; only with expandable segments.
    var unmapped: ContiguousArray<Int32> = []
  }

  /// A segment, or pages of one, that the driver gave or took back.
  struct SegmentChange: Sendable {
    var address: Int
    var size: Int
    /// The pool that it belongs to.
    var pool: Int
    /// Whether the driver gave it.
    var isTaken: Bool
  }

  /// The rules it follows.
  let rules: AllocatorRules
  /// The driver.
  var memory: DeviceMemory
  /// What `torch.cuda.memory_stats()` would report.
  var statistics = AllocatorStatistics()
  var blocks = OwnedArray<Block>(capacity: 1024)
  var pools = OwnedArray<Pool>(capacity: 4)
  /// Segments taken from the driver and given back, while ``logsSegments``.
  var segmentLog: ContiguousArray<SegmentChange> = []
  /// Whether the log is kept.
  var logsSegments = false
  private var spare = OwnedArray<Int32>()
  private var pending: ContiguousArray<Pending> = []

  /// An allocator that holds nothing yet.
  init(_ rules: AllocatorRules = AllocatorRules(), memory: DeviceMemory = DeviceMemory()) {
    self.rules = rules
    self.memory = memory
  }

  // MARK: Allocating

  /// Hands out a block for `bytes`, more than 0, on a stream; `nil` where memory is out.
  mutating func allocate(_ bytes: Int, stream: UInt8 = 0) -> Int32? {
    let size = rules.rounded(bytes)
    let pool = pool(stream, small: size <= AllocatorRules.small)
    let block: Int32
    if let (place, found) = freeBlock(of: size, in: pool) {
      block = found
      uncount(block)
      if let rest = split(block, to: size) {
        replace(at: place, with: rest)
      } else {
        pools[pool].free.remove(at: place)
      }
    } else if let new = newBlock(of: size, in: pool) ?? blockAfterRelease(of: size, in: pool) {
      block = new
      if let rest = split(block, to: size) { insert(rest) }
    } else {
      statistics.outOfMemory += 1
      return nil
    }
    statistics.allocated.increase(blocks[Int(block)].handOut(bytes))
    return block
  }

  /// The pool of a stream.
  private mutating func pool(_ stream: UInt8, small: Bool) -> Int {
    let index = Int(stream) * 2 + (small ? 0 : 1)
    while pools.count <= index { pools.append(Pool(isSmall: pools.count % 2 == 0)) }
    return index
  }

  /// The smallest free block that is large enough, and where it stands.
  private func freeBlock(of size: Int, in pool: Int) -> (place: FreeBlocks.Place, block: Int32)? {
    var place = pools[pool].free.first(atLeast: size)
    guard var found = pools[pool].free[place] else { return nil }
    if rules.expandable {
      // A block that can grow counts with all that it can grow to.
      var after = pools[pool].free.after(place)
      while let next = pools[pool].free[after], reach(next.block) < reach(found.block) {
        (place, found) = (after, next)
        after = pools[pool].free.after(place)
      }
    }
    if size < rules.maxSplit, found.size >= rules.maxSplit { return nil }
    if size >= rules.maxSplit, found.size >= size &+ AllocatorRules.largeSegment { return nil }
    return (place, found.block)
  }

  /// The bytes of a block with the unmapped ones behind it.
  private func reach(_ block: Int32) -> Int {
    let next = blocks[Int(block)].next
    guard next >= 0, !blocks[Int(next)].isMapped else { return blocks[Int(block)].size }
    return blocks[Int(block)].size &+ blocks[Int(next)].size
  }

  /// A block of a new segment.
  private mutating func newBlock(of size: Int, in pool: Int) -> Int32? {
    if rules.expandable { return expandedBlock(of: size, in: pool) }
    let segment = AllocatorRules.segment(for: size)
    guard memory.take(segment) else { return nil }
    statistics.reserved.increase(segment)
    let address = memory.address()
    log(address, segment, pool, isTaken: true)
    return make(Block(address: address, size: segment, pool: Int32(pool)))
  }

  /// Notes what the driver gave or took back.
  mutating func log(_ address: Int, _ size: Int, _ pool: Int, isTaken: Bool) {
    guard logsSegments else { return }
    segmentLog.append(SegmentChange(address: address, size: size, pool: pool, isTaken: isTaken))
  }

  /// Gives cached memory back to the driver, and asks once more.
  private mutating func blockAfterRelease(of size: Int, in pool: Int) -> Int32? {
    if rules.maxSplit < .max, releaseOversized(for: size, in: pool),
      let block = newBlock(of: size, in: pool)
    {
      return block
    }
    releaseCached()
    statistics.retries += 1
    return newBlock(of: size, in: pool)
  }

  /// Cuts a block where the rest is worth keeping.
  ///
  /// - Returns: The rest, which is in no pool yet.
  private mutating func split(_ block: Int32, to size: Int) -> Int32? {
    let whole = blocks[Int(block)].size
    let pool = Int(blocks[Int(block)].pool)
    let rest = whole - size
    let isSplit =
      pools[pool].isSmall || rules.expandable
      ? rest >= AllocatorRules.block : size < rules.maxSplit && rest > AllocatorRules.small
    guard isSplit else { return nil }
    let next = blocks[Int(block)].next
    let remainder = make(
      Block(
        address: blocks[Int(block)].address &+ size, size: rest, previous: block, next: next,
        pool: Int32(pool)))
    blocks[Int(block)].size = size
    blocks[Int(block)].next = remainder
    if next >= 0 { blocks[Int(next)].previous = remainder }
    return remainder
  }

  // MARK: Freeing

  /// Takes a block back.
  ///
  /// - Parameters:
  ///   - time: When, for a block that another stream uses.
  ///   - isComputed: Whether that stream is the model's own.
  mutating func free(_ block: Int32, at time: Int32 = 0, isComputed: Bool = false) {
    let index = Int(block)
    guard blocks.indices.contains(index), blocks[index].isAllocated else { return }
    blocks[index].isAllocated = false
    statistics.allocated.decrease(blocks[index].size)
    if blocks[index].isPending {
      return pending.append(Pending(block: block, time: time, isComputed: isComputed))
    }
    giveBack(block)
  }

  /// Another stream uses a block: it is not handed out again before ``synchronize()``.
  mutating func use(_ block: Int32) {
    let index = Int(block)
    guard blocks.indices.contains(index), blocks[index].isAllocated else { return }
    blocks[index].isPending = true
  }

  /// All streams have done their work.
  mutating func synchronize() { synchronize { _ in true } }

  /// Some streams have done their work: what waits for them is free, first freed first (`process_events`).
  mutating func synchronize(_ isDone: (Pending) -> Bool) {
    guard !pending.isEmpty else { return }
    var left = 0
    for index in pending.indices {
      let entry = pending[index]
      if isDone(entry) {
        blocks[Int(entry.block)].isPending = false
        giveBack(entry.block)
      } else {
        pending[left] = entry
        left += 1
      }
    }
    pending.removeSubrange(left...)
  }

  /// Merges a block with its free neighbours.
  private mutating func giveBack(_ block: Int32) {
    blocks[Int(block)].requested = 0
    join(block)
  }

  /// A block that is free takes over its neighbours and joins its pool.
  ///
  /// Where it takes over one neighbour it often keeps that one's place.
  private mutating func join(_ block: Int32) {
    let index = Int(block)
    let (previous, next) = (blocks[index].previous, blocks[index].next)
    let takesPrevious = isMergeable(previous, with: block)
    let takesNext = isMergeable(next, with: block)
    guard takesPrevious != takesNext, blocks[index].isMapped else {
      merge(block)
      return insert(block)
    }
    let neighbour = takesPrevious ? previous : next
    uncount(neighbour)
    let place = pools[Int(blocks[index].pool)].free.place(
      of: blocks[Int(neighbour)].size, at: blocks[Int(neighbour)].address)
    if takesPrevious { absorbPrevious(block) } else { absorbNext(block) }
    replace(at: place, with: block)
  }

  /// A block takes over its neighbours that are free and in the same state.
  mutating func merge(_ block: Int32) {
    let previous = blocks[Int(block)].previous
    if isMergeable(previous, with: block) {
      take(previous)
      absorbPrevious(block)
    }
    let next = blocks[Int(block)].next
    if isMergeable(next, with: block) {
      take(next)
      absorbNext(block)
    }
  }

  private mutating func absorbPrevious(_ block: Int32) {
    let index = Int(block)
    let previous = blocks[index].previous
    let before = blocks[Int(previous)].previous
    blocks[index].address = blocks[Int(previous)].address
    blocks[index].size &+= blocks[Int(previous)].size
    blocks[index].previous = before
    if before >= 0 { blocks[Int(before)].next = block }
    spare.append(previous)
  }

  private mutating func absorbNext(_ block: Int32) {
    let index = Int(block)
    let next = blocks[index].next
    let after = blocks[Int(next)].next
    blocks[index].size &+= blocks[Int(next)].size
    blocks[index].next = after
    if after >= 0 { blocks[Int(after)].previous = block }
    spare.append(next)
  }

  private func isMergeable(_ other: Int32, with block: Int32) -> Bool {
    guard other >= 0 else { return false }
    let place = Int(other)
    return !blocks[place].isAllocated && !blocks[place].isPending
      && blocks[place].isMapped == blocks[Int(block)].isMapped
  }

  // MARK: Bookkeeping

  /// A block in a place of the table that nothing uses.
  mutating func make(_ block: Block) -> Int32 {
    guard let index = spare.popLast() else {
      blocks.append(block)
      return Int32(truncatingIfNeeded: blocks.count - 1)
    }
    blocks[Int(index)] = block
    return index
  }

  /// A block is no more.
  mutating func discard(_ block: Int32) { spare.append(block) }

  /// A free block joins its pool.
  mutating func insert(_ block: Int32) {
    pools[Int(blocks[Int(block)].pool)].free.insert(entry(block))
    count(block)
  }

  /// A free block joins its pool, and another one, whose place is given, leaves it.
  private mutating func replace(at place: FreeBlocks.Place, with block: Int32) {
    pools[Int(blocks[Int(block)].pool)].free.replace(at: place, with: entry(block))
    count(block)
  }

  /// A block as its pool has it.
  private func entry(_ block: Int32) -> FreeBlocks.Entry {
    .init(size: blocks[Int(block)].size, address: blocks[Int(block)].address, block: block)
  }

  /// Whether a free block is a piece of a segment that counts as split.
  private func isPiece(_ block: Int32) -> Bool {
    (blocks[Int(block)].previous >= 0 || blocks[Int(block)].next >= 0) && !rules.expandable
  }

  /// A block that joins its pool may be a free piece of a segment.
  private mutating func count(_ block: Int32) {
    if isPiece(block) { statistics.inactiveSplit.increase(blocks[Int(block)].size) }
  }

  /// A free block, or an unmapped range, leaves its pool.
  mutating func take(_ block: Int32) {
    let pool = Int(blocks[Int(block)].pool)
    guard blocks[Int(block)].isMapped else {
      pools[pool].unmapped.removeAll { $0 == block }
      return
    }
    uncount(block)
    let entry = entry(block)
    pools[pool].free.remove(size: entry.size, address: entry.address)
  }

  /// A block that leaves its pool is no free piece of a segment any more.
  private mutating func uncount(_ block: Int32) {
    if isPiece(block) { statistics.inactiveSplit.decrease(blocks[Int(block)].size) }
  }
}

/// Segments that grow in place: a range of addresses for each pool, given memory page by page.
///
/// Source: `try_allocate_expandable_block`, `find_expandable_block`, `map_block` and `unmap_block` in
/// `c10/cuda/CUDACachingAllocator.cpp`, PyTorch 2.11.
extension CachingAllocator {
  /// A page of a pool's segments (`ExpandableSegment::segment_size_`).
  private func page(of pool: Int) -> Int {
    pools[pool].isSmall ? AllocatorRules.smallSegment : AllocatorRules.largeSegment
  }

  /// A block of at least `size` bytes at the end of what a range has; `nil` where memory is out.
  mutating func expandedBlock(of size: Int, in pool: Int) -> Int32? {
    guard var block = growable(to: size, in: pool) else { return nil }
    if !blocks[Int(block)].isMapped {
      guard map(block, min(blocks[Int(block)].size, size)) else { return nil }
    }
    while blocks[Int(block)].size < size {
      let next = blocks[Int(block)].next
      guard next >= 0 else { return nil }
      let missing = size - blocks[Int(block)].size
      guard map(next, min(missing, blocks[Int(next)].size)) else { return nil }
      block = next
    }
    take(block)
    return block
  }

  /// A free block with enough free and unmapped bytes behind it, or a new range of addresses.
  private mutating func growable(to size: Int, in pool: Int) -> Int32? {
    for candidate in pools[pool].unmapped {
      var first = candidate
      let previous = blocks[Int(candidate)].previous
      if previous >= 0, isFree(previous) { first = previous }
      var (room, at) = (0, first)
      while room < size, at >= 0, isFree(at) {
        room &+= blocks[Int(at)].size
        at = blocks[Int(at)].next
      }
      if room >= size { return first }
    }
    // 1 1/8 of the device's memory, whole pages.
    let page = page(of: pool)
    let range = (memory.capacity / 8 &+ memory.capacity &+ page - 1) / page &* page
    guard range >= size else { return nil }
    let block = make(
      Block(address: memory.address(), size: range, pool: Int32(pool), isMapped: false))
    addUnmapped(block)
    return block
  }

  private func isFree(_ block: Int32) -> Bool {
    !blocks[Int(block)].isAllocated && !blocks[Int(block)].isPending
  }

  /// Gives memory to the first `size` bytes of a range, whole pages.
  private mutating func map(_ block: Int32, _ size: Int) -> Bool {
    let index = Int(block)
    let pool = Int(blocks[index].pool)
    let page = page(of: pool)
    let whole = min((size &+ page - 1) / page &* page, blocks[index].size)
    guard memory.take(whole) else { return false }
    log(blocks[index].address, whole, pool, isTaken: true)
    take(block)
    blocks[index].isMapped = true
    if whole < blocks[index].size {
      let next = blocks[index].next
      let rest = make(
        Block(
          address: blocks[index].address &+ whole, size: blocks[index].size - whole,
          previous: block, next: next, pool: Int32(pool), isMapped: false))
      if next >= 0 { blocks[Int(next)].previous = rest }
      blocks[index].next = rest
      blocks[index].size = whole
      addUnmapped(rest)
    }
    merge(block)
    insert(block)
    statistics.reserved.increase(whole)
    return true
  }

  /// Takes the memory of a free block's whole pages away.
  mutating func unmap(_ block: Int32) {
    let value = blocks[Int(block)]
    let page = page(of: Int(value.pool))
    // Segments begin at a multiple of every page in the simulated addresses' low bits.
    let base = value.address & ~((1 << DeviceMemory.segmentBits) - 1)
    let begin = (value.address - base + page - 1) / page * page + base
    let end = (value.address - base + value.size) / page * page + base
    guard end > begin else { return }
    log(begin, end - begin, Int(value.pool), isTaken: false)
    take(block)
    if begin > value.address {
      let front = make(
        Block(
          address: value.address, size: begin - value.address, previous: value.previous,
          next: block, pool: value.pool))
      if value.previous >= 0 { blocks[Int(value.previous)].next = front }
      blocks[Int(block)].previous = front
      insert(front)
    }
    if value.address + value.size > end {
      let back = make(
        Block(
          address: end, size: value.address + value.size - end, previous: block, next: value.next,
          pool: value.pool))
      if value.next >= 0 { blocks[Int(value.next)].previous = back }
      blocks[Int(block)].next = back
      insert(back)
    }
    blocks[Int(block)].address = begin
    blocks[Int(block)].size = end - begin
    blocks[Int(block)].isMapped = false
    merge(block)
    addUnmapped(block)
    memory.give(end - begin)
    statistics.reserved.decrease(end - begin)
  }

  private mutating func addUnmapped(_ block: Int32) {
    let value = blocks[Int(block)]
    var at = 0
    while at < pools[Int(value.pool)].unmapped.count,
      blocks[Int(pools[Int(value.pool)].unmapped[at])].address < value.address
    {
      at += 1
    }
    pools[Int(value.pool)].unmapped.insert(block, at: at)
  }
}

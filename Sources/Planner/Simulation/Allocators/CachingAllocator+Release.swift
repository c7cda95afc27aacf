/// Giving segments back to the driver.
///
/// Source: `release_cached_blocks`, `release_available_cached_blocks` and `release_block` in
/// `c10/cuda/CUDACachingAllocator.cpp`, PyTorch 2.11.
extension CachingAllocator {
  /// Gives back all that is free: what `torch.cuda.empty_cache()` does.
  mutating func releaseCached() {
    synchronize()
    for pool in pools.indices {
      for entry in pools[pool].free.entries {
        if rules.expandable {
          unmap(entry.block)
        } else if isWhole(entry.block) {
          release(entry.block)
        }
      }
    }
  }

  /// Gives back blocks that are too large to be split, the smallest that suffices or the largest ones.
  ///
  /// - Returns: Whether as much as is needed was given back.
  mutating func releaseOversized(for size: Int, in pool: Int) -> Bool {
    guard !rules.expandable else { return false }
    let wanted = max(size, rules.maxSplit)
    let place = pools[pool].free.first(atLeast: wanted)
    if let found = pools[pool].free[place] {
      guard isWhole(found.block) else { return false }
      release(found.block)
      return true
    }
    var released = 0
    while released < wanted, let largest = pools[pool].free.largest,
      largest.size >= rules.maxSplit, isWhole(largest.block)
    {
      release(largest.block)
      released &+= largest.size
    }
    return released >= wanted
  }

  /// Whether a block is all of its segment.
  private func isWhole(_ block: Int32) -> Bool {
    blocks[Int(block)].previous < 0 && blocks[Int(block)].next < 0
  }

  /// Gives a segment back.
  private mutating func release(_ block: Int32) {
    let size = blocks[Int(block)].size
    log(blocks[Int(block)].address, size, Int(blocks[Int(block)].pool), isTaken: false)
    take(block)
    discard(block)
    memory.give(size)
    statistics.reserved.decrease(size)
  }

  /// The largest block that could be handed out without asking the driver.
  var largestFreeBlock: Int {
    var largest = 0
    for pool in pools.indices { largest = max(largest, pools[pool].free.largest?.size ?? 0) }
    return largest
  }

  /// The segments with their blocks in the order of addresses: size, and whether it is handed out.
  var segments: [[(size: Int, isAllocated: Bool)]] {
    var segments: [[(size: Int, isAllocated: Bool)]] = []
    for segment in segmentBlocks {
      var pieces: [(size: Int, isAllocated: Bool)] = []
      for block in segment {
        pieces.append((blocks[Int(block)].size, blocks[Int(block)].isAllocated))
      }
      segments.append(pieces)
    }
    return segments
  }

  /// The blocks of each segment in the order of addresses.
  var segmentBlocks: [[Int32]] {
    var free = Set<Int32>()
    for pool in pools.indices {
      for entry in pools[pool].free.entries { free.insert(entry.block) }
    }
    var heads: [Int32] = []
    for index in blocks.indices {
      let block = blocks[index]
      guard block.isMapped, block.isAllocated || block.isPending || free.contains(Int32(index))
      else { continue }
      let previous = block.previous
      if previous < 0 || !blocks[Int(previous)].isMapped { heads.append(Int32(index)) }
    }
    heads.sort { blocks[Int($0)].address < blocks[Int($1)].address }
    var segments: [[Int32]] = []
    for head in heads {
      var pieces: [Int32] = []
      var at = head
      while at >= 0, blocks[Int(at)].isMapped {
        pieces.append(at)
        at = blocks[Int(at)].next
      }
      segments.append(pieces)
    }
    return segments
  }
}

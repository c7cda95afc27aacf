/// What the caching allocator does in the second step, with addresses: what PyTorch's memory snapshot holds.
///
/// Addresses are made up: the driver gives no promise about them, and here each segment begins above the last.
struct AllocatorRecording: Sendable {
  /// One entry of the trace.
  struct Entry: Sendable {
    enum Action: Sendable { case allocate, free, takeSegment, giveSegment }
    var action: Action
    var address: Int
    /// As it was asked for; a segment's own size.
    var size: Int
    var stream: Int
    /// The command of the second step that it belongs to.
    var command: Int
  }

  /// A segment as the step leaves it.
  struct Segment: Sendable {
    var address: Int
    var size: Int
    var stream: Int
    var isSmall: Bool
    var blocks: [Block]
  }

  /// A piece of a segment.
  struct Block: Sendable {
    var address: Int
    var size: Int
    /// As it was asked for; 0 where it is free.
    var requested: Int
    /// What it was allocated for, or `nil` where it is free.
    var command: ReplayScript.Command?
    /// Whether that was in the second step.
    var isRecent: Bool
  }

  /// What happens in the second step, in order.
  private(set) var entries: ContiguousArray<Entry> = []
  /// The segments after it, in the order of addresses.
  private(set) var segments: [Segment] = []
  /// Whether memory ran out: what was asked for in vain is the last command.
  private(set) var ranOut = false

  private var slots: ContiguousArray<Int32>
  private var origins: ContiguousArray<(command: ReplayScript.Command, isRecent: Bool)?> = []

  /// Runs a script.
  init(_ script: ReplayScript, _ rules: AllocatorRules, _ memory: DeviceMemory) {
    var allocator = CachingAllocator(rules, memory: memory)
    slots = .init(repeating: -1, count: script.slots)
    run(script.loading, isRecent: false, &allocator)
    run(script.first, isRecent: false, &allocator)
    allocator.logsSegments = true
    run(script.second, isRecent: true, &allocator)
    for blocks in allocator.segmentBlocks { segments.append(segment(blocks, allocator)) }
  }

  private mutating func run(
    _ commands: ContiguousArray<ReplayScript.Command>, isRecent: Bool,
    _ allocator: inout CachingAllocator
  ) {
    for (index, command) in commands.enumerated() where !ranOut {
      let slot = Int(command.slot)
      switch command.kind {
      case .allocate:
        if command.stream == ReplayScript.Command.inPlace { break }
        guard let block = allocator.allocate(command.bytes, stream: command.stream) else {
          ranOut = true
          break
        }
        slots[slot] = block
        while origins.count <= Int(block) { origins.append(nil) }
        origins[Int(block)] = (command, isRecent)
        if isRecent {
          noteSegments(index, &allocator)
          note(.allocate, allocator.blocks[Int(block)], command.bytes, index)
        }
      case .free:
        let block = slots[slot]
        slots[slot] = -1
        guard block >= 0 else { break }
        if isRecent {
          let found = allocator.blocks[Int(block)]
          note(.free, found, found.requested, index)
        }
        allocator.free(block)
      case .phase, .hostWait, .hostMark: break
      case .emptyCache:
        allocator.releaseCached()
        noteSegments(index, &allocator)
      }
    }
  }

  private mutating func note(
    _ action: Entry.Action, _ found: CachingAllocator.Block, _ size: Int, _ command: Int
  ) {
    entries.append(
      Entry(
        action: action, address: found.address, size: size, stream: Int(found.pool) / 2,
        command: command))
  }

  /// What the driver gave and took for the command comes ahead of it.
  private mutating func noteSegments(_ command: Int, _ allocator: inout CachingAllocator) {
    for change in allocator.segmentLog {
      entries.append(
        Entry(
          action: change.isTaken ? .takeSegment : .giveSegment, address: change.address,
          size: change.size, stream: change.pool / 2, command: command))
    }
    allocator.segmentLog.removeAll(keepingCapacity: true)
  }

  private func segment(_ blocks: [Int32], _ allocator: borrowing CachingAllocator) -> Segment {
    var segment = Segment(address: 0, size: 0, stream: 0, isSmall: true, blocks: [])
    for (position, index) in blocks.enumerated() {
      let block = allocator.blocks[Int(index)]
      if position == 0 {
        segment.address = block.address
        segment.stream = Int(block.pool) / 2
        segment.isSmall = allocator.pools[Int(block.pool)].isSmall
      }
      segment.size += block.size
      let origin = block.isAllocated && Int(index) < origins.count ? origins[Int(index)] : nil
      segment.blocks.append(
        Block(
          address: block.address, size: block.size, requested: block.requested,
          command: origin?.command, isRecent: origin?.isRecent ?? false))
    }
    return segment
  }
}

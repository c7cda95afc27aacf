/// Saved tensors whose copies to the host and back run on a stream of their own.
///
/// Each tensor that autograd saves gets a number. A stash holds the last ones on the device until their copies are
/// surely done. A tensor that is small, a weight, or in the stash already stays on the device. In backward a copy comes
/// back when its node runs, and stays until the next node with such copies has run.
///
/// Source: `OffloadActivations` in `trl/models/activation_offloading.py`, TRL 1.16.
struct StreamedCopies: Sendable {
  /// Tensors of fewer bytes stay on the device.
  let minimum: Int
  /// Numbers after which the stash lets go of a tensor.
  let stash: Int

  /// A saved tensor.
  struct Entry: Sendable {
    var number: Int
    /// What stays on the device, or -1.
    var storage: Int32 = -1
    /// Where the host has it, or -1.
    var copy: Int32 = -1
    /// The memory that it was in.
    var source: Int32 = -1
  }

  /// How many tensors were saved.
  var count = 0
  /// All saved tensors of a micro-batch.
  var entries: ContiguousArray<Entry> = []
  /// The stash of the forward pass: entries, and the memory that each holds.
  var leaving: ContiguousArray<(entry: Int, storage: Int32)> = []
  /// The number of the last save of what has memory on the device, by that memory.
  var tracked: [Int32: Int] = [:]
  /// What came back and is still held.
  var returned: ContiguousArray<Int32> = []
  /// How many of ``returned`` the running node lets go of.
  var outdated = 0
  /// What the graph before held beside its nodes: the streams keep its last node until the next backward takes something.
  var graphBefore: ContiguousArray<Int32> = []
  /// The node that runs.
  var running = -1
  /// The last node that something came back for.
  var last = -1

  init(minimum: Int, stash: Int) { (self.minimum, self.stash) = (minimum, stash) }

  /// A tensor is no longer known to be on the device, unless it was saved again.
  mutating func forget(_ entry: Entry) {
    if tracked[entry.source] == entry.number { tracked[entry.source] = nil }
  }
}

extension Tape {
  /// Saves a tensor by streams.
  ///
  /// - Parameter isWeight: Whether it is a weight or a view of one.
  /// - Returns: The entry's index.
  mutating func keepStreamed(
    _ storage: Int32, bytes: Int, isWeight: Bool, isTransposed: Bool, _ operation: Int32
  ) -> Int32 {
    guard var streams else { return -1 }
    streams.count += 1
    let (index, number) = (streams.entries.count, streams.count)
    streams.entries.append(.init(number: number, source: storage))
    if isWeight || bytes < streams.minimum || streams.tracked[storage] != nil {
      retain(storage)
      streams.entries[index].storage = storage
      if streams.tracked[storage] != nil { streams.tracked[storage] = number }
      self.streams = streams
      return Int32(truncatingIfNeeded: index)
    }
    var held = storage
    if isTransposed { held = allocate(bytes, .activations, operation) } else { retain(storage) }
    while let first = streams.leaving.first,
      streams.entries[first.entry].number <= number - streams.stash
    {
      release(first.storage, operation)
      streams.forget(streams.entries[first.entry])
      streams.leaving.removeFirst()
    }
    streams.entries[index].copy = host.keep(bytes, copies)
    streams.leaving.append((index, held))
    if storage >= 0 { streams.tracked[storage] = number }
    self.streams = streams
    return Int32(truncatingIfNeeded: index)
  }

  /// What an entry of the streams names, with a reference for the caller.
  mutating func takeStreamed(_ index: Int32, _ operation: Int32) -> Int32 {
    guard let entry = streams?.entries[Int(index)] else { return -1 }
    streams?.forget(entry)
    guard entry.copy >= 0 else { return entry.storage }
    dropGraphBefore()
    if let streams, streams.last != streams.running {
      self.streams?.last = streams.running
      self.streams?.outdated = streams.returned.count
    }
    let bytes = host.take(entry.copy, copies)
    if let stashed = streams?.leaving.first(where: { $0.entry == Int(index) }) {
      retain(stashed.storage)
      return stashed.storage
    }
    let storage = allocate(bytes, .activations, operation, stream: 1)
    retain(storage)
    streams?.returned.append(storage)
    return storage
  }

  /// A node has run: nothing leaves any more, and what came back for the node before dies.
  mutating func endStreamed(_ node: Int, _ operation: Int32) {
    guard let streams, streams.last == node else { return }
    stopLeaving(operation)
    for storage in streams.returned.prefix(streams.outdated) { release(storage, operation) }
    let outdated = streams.outdated
    self.streams?.returned.removeFirst(outdated)
    self.streams?.outdated = 0
  }

  /// Backward is over: the streams hold nothing.
  mutating func endStreamed() {
    guard let streams else { return }
    stopLeaving(Moment.end.rawValue)
    for storage in streams.returned { release(storage, Moment.end.rawValue) }
    let before = streams.graphBefore
    self.streams = StreamedCopies(minimum: streams.minimum, stash: streams.stash)
    self.streams?.graphBefore = before
  }

  /// The step before left a graph whose embedding's output was made a leaf: that and its gradient are still there.
  mutating func beginStreamed() {
    guard streams != nil, streams?.graphBefore.isEmpty == true else { return }
    let code = program.sections[0].instructions
    for require in code where require.code == .require {
      let made = code.first { $0.code == .allocate && $0.a == require.a }
      for _ in 0..<2 {
        let storage = allocate(made?.bytes ?? 0, .activations, Moment.end.rawValue)
        streams?.graphBefore.append(storage)
      }
    }
  }

  /// Nothing holds the graph before any more.
  mutating func dropGraphBefore() {
    guard let before = streams?.graphBefore, !before.isEmpty else { return }
    for storage in before { release(storage, Moment.end.rawValue) }
    streams?.graphBefore.removeAll(keepingCapacity: true)
  }

  private mutating func stopLeaving(_ operation: Int32) {
    guard let streams, !streams.leaving.isEmpty else { return }
    for (entry, storage) in streams.leaving {
      release(storage, operation)
      self.streams?.forget(streams.entries[entry])
    }
    self.streams?.leaving.removeAll(keepingCapacity: true)
  }
}

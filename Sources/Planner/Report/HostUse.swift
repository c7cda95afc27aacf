/// What a step takes of the host's memory, and what it moves between host and device.
public struct HostUse: Hashable, Sendable {
  /// Memory of the host that techniques take; the process, its libraries and the data loader come on top.
  public var needed: Bytes
  /// How much of it is pinned, in the blocks of a power of two that PyTorch's allocator of pinned memory takes.
  public var pinned: Bytes
  /// What it holds; adds up to ``needed`` exactly.
  public var breakdown: Breakdown
  /// What the host offers, where the scenario says it.
  public var capacity: Bytes?
  /// Bytes to the host in one step.
  public var toHost: Bytes
  /// Bytes to the device in one step.
  public var toDevice: Bytes
  /// Estimated time of these transfers.
  public var transferSeconds: Seconds
  /// Estimated time that transfers and the host's update add to a step.
  public var exposedSeconds: Seconds

  /// Whether ``needed`` is at most ``capacity``, or that is unknown.
  public var fits: Bool { capacity.map { needed <= $0 } ?? true }
}

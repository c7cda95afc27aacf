/// Memory of the host that a technique takes for a parameter.
public struct HostTensor: Hashable, Sendable {
  /// Its size.
  public var bytes: Int
  /// What it holds.
  public var role: Role
  /// Whether it is pinned: PyTorch's allocator of pinned memory then takes a block of the next power of two.
  public var isPinned: Bool

  /// Describes memory of the host.
  public init(_ bytes: Int, _ role: Role, isPinned: Bool) {
    self.bytes = bytes
    self.role = role
    self.isPinned = isPinned
  }
}

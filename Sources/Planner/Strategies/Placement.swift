/// What of a training step lies on the host instead of the device.
struct Placement: Sendable {
  /// Memory of the host.
  enum HostMemory: Hashable, Sendable {
    /// Any page of the process.
    case pageable
    /// Pages that the device copies from and to by itself.
    case pinned
  }

  /// Where saved tensors lie from forward to backward, or `nil` for the device.
  var activations: HostMemory?
}

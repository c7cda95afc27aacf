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
  /// How they leave and come back, where a stream of its own copies them.
  var streams: StreamedOffload?
}

/// What decides which saved tensors a stream takes to the host, and how long they stay meanwhile.
struct StreamedOffload: Hashable, Sendable {
  /// Tensors of fewer bytes stay on the device (`min_offload_size`).
  var minimum = 1024
  /// How many tensors a forward pass keeps while their copies run (`max_fwd_stash_size`).
  var stash = 5

  /// The module whose saved tensors stay on the device.
  static let head = "lm_head"
}

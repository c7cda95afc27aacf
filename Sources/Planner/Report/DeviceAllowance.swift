/// What a run takes on the device beyond the tensors of its step, until the allocator itself is simulated.
struct DeviceAllowance: Sendable {
  let device: Device

  /// The CUDA context with PyTorch's kernels loaded.
  let context = Bytes(520 << 20)

  /// What the caching allocator holds when it hands out `allocated` bytes.
  func reserved(_ allocated: Bytes) throws(PlanError) -> Bytes {
    try allocated + Bytes(allocated.count / 100 * 3)
  }

  /// What to tell the reader.
  func assumptions(for scenario: Scenario) -> [Assumption] {
    []
  }
}

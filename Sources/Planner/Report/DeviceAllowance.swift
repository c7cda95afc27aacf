/// What a run takes on the device beyond the tensors of its step, until the allocator itself is simulated.
///
/// A verdict is a promise, so the allowance is generous: a run that it lets fit must not run out of memory, while
/// some runs that would just survive are refused.
struct DeviceAllowance: Sendable {
  /// What is there before the step begins and stays: weights, optimizer states, buffers, workspaces.
  let resident: Bytes

  /// The CUDA context with PyTorch's kernels loaded.
  ///
  /// Source: 0.47 GiB on an A100 with lazy loading (PyTorch 2.1); a T4 takes 141 MiB. The larger is taken for all.
  static let context = Bytes(520 << 20)

  /// The share of a step's passing tensors that fragmentation may cost.
  ///
  /// Source: 191 runs on a simulated 24 GB card, 56 of which ran out of memory
  /// (`Tests/PlannerTests/Reference/Fixtures`): the worst of these would have needed 52 %.
  static let fragmentation = 60

  /// The same in the optimizer's phase: activations are gone, and none of these runs failed there that should fit.
  static let optimizerFragmentation = 10

  /// What the caching allocator is expected to hold, at most, when it hands out `allocated` bytes in a phase.
  func reserved(_ allocated: Bytes, in phase: Phase) throws(PlanError) -> Bytes {
    let passing = max(0, allocated.count - resident.count)
    let percent = phase == .optimizer ? Self.optimizerFragmentation : Self.fragmentation
    return try allocated + Bytes(passing / 100 * percent)
  }

  /// What to tell the reader.
  func assumptions(for scenario: Scenario) -> [Assumption] {
    [
      Assumption(
        "allocator_slack",
        "\(Self.fragmentation) % on top of all but weights and optimizer states for the allocator's "
          + "fragmentation (\(Self.optimizerFragmentation) % in the optimizer's phase), an upper allowance",
        source: "191 runs of PyTorch's allocator near the limit of a 24 GB card"),
      Assumption(
        "cuda_context", "a CUDA context of \(Self.context)",
        source: "A100, PyTorch 2.1 with lazy loading: 0.47 GiB"),
      Assumption(
        "device_memory", "\(scenario.device.memory) of device memory that PyTorch sees",
        source: scenario.device.memorySource),
      Assumption(
        "steady_state", "the second step, with optimizer states and without gradients at its start",
        source: "the training loops of PyTorch and transformers"),
      Assumption(
        "no_padding", "sequences of full length without a padding mask",
        source: "the longest batch decides the peak"),
      Assumption(
        "versions", "eager PyTorch 2.11, transformers 5.17, PEFT 0.21",
        source: "the rules were checked against figures of these versions"),
      Assumption(
        "peak_rates", "times from the data sheet's dense rates and memory bandwidth, a lower bound",
        source: scenario.device.source),
    ]
  }
}

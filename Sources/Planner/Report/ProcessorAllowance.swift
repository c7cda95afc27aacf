/// What a run in the host's memory takes beyond the tensors of its step.
enum ProcessorAllowance {
  /// The Python process with PyTorch, transformers and their libraries loaded.
  ///
  /// Source: 0.67 GiB resident after two steps of a tiny model (PyTorch 2.11, transformers 5.17, Linux), rounded up.
  static let process = Bytes(1 << 30)

  /// The same as a part of what lies outside the tensors of a step.
  static let part = OutsideAllocator.Part(
    name: "process", text: "a process", low: process, expected: process, high: process,
    cause: "the libraries that are loaded",
    source: "a process of PyTorch 2.11 and transformers 5.17")

  /// What to tell the reader.
  static func assumptions(for scenario: Scenario) -> [Assumption] {
    [
      Assumption(
        "process", "\(process) for the process and its libraries",
        source: "a process of PyTorch 2.11 and transformers 5.17"),
      Assumption(
        "host_allocator",
        "tensors as large as they are asked for: no CUDA context, no workspaces, no caching allocator; neither "
          + "fragmentation of malloc nor the attention kernel's buffers, below 1 MiB a thread, are counted",
        source: "aten/src/ATen/native/cpu/FlashAttentionKernel.cpp, PyTorch 2.11"),
      Assumption(
        "processor_products",
        "products in 16 bits take an fp32 copy of their result, as on processors without such instructions",
        source: "torch.profiler on an AVX-512 processor, PyTorch 2.11"),
      Assumption(
        "device_memory", "\(scenario.device.memory) that the run may use of the host's memory",
        source: scenario.device.memorySource),
      Assumption(
        "steady_state", "the second step, with optimizer states and without gradients at its start",
        source: "the training loops of PyTorch and transformers"),
      Assumption(
        "no_padding", "sequences of full length without a padding mask",
        source: "the longest batch decides the peak"),
      Assumption(
        "peak_rates", "the processor's peak rates and memory bandwidth as what times are shares of",
        source: scenario.device.source),
    ]
  }
}

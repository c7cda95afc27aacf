extension Scenario {
  /// What every plan takes for granted about the device, the loop and the software.
  var stepAssumptions: [Assumption] {
    [
      Assumption(
        "device_memory", "\(device.memory) of device memory that PyTorch sees",
        source: device.memorySource),
      Assumption(
        "steady_state", "the second step, with optimizer states and without gradients at its start",
        source: "the training loops of PyTorch and transformers"),
      Assumption(
        "no_padding", "sequences of full length without a padding mask",
        source: "the longest batch decides the peak"),
      Assumption(
        "versions",
        framework == .megatron
          ? "Megatron core 0.16.1, Transformer Engine 2"
          : "eager PyTorch 2.11, transformers 5.17, PEFT 0.21",
        source: "the rules were checked against figures of these versions"),
      Assumption(
        "peak_rates",
        "the data sheet's dense rates and memory bandwidth as what times are shares of",
        source: device.source),
    ]
  }
}

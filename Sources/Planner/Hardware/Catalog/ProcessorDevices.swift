/// Processors that train in the host's memory, which has no size of its own: a scenario says how much there is.
public enum ProcessorDevices {
  /// Every processor of the catalog.
  public static let all: [Device] = [
    processor(
      id: "xeon-4516y-plus-2s", name: "2 x Intel Xeon Silver 4516Y+", bandwidth: 563e9,
      fp32: 6.8e12, bf16: 108e12,
      source:
        "derived: 48 cores at 2.2 GHz base, 1,024 bf16 (AMX) and 64 fp32 (AVX-512) operations a cycle; "
        + "2 x 8 channels of DDR5-4400"),
    processor(
      id: "xeon-8592-plus-2s", name: "2 x Intel Xeon Platinum 8592+", bandwidth: 717e9,
      fp32: 15.6e12, bf16: 249e12,
      source:
        "derived: 128 cores at 1.9 GHz base, 1,024 bf16 (AMX) and 64 fp32 (AVX-512) operations a cycle; "
        + "2 x 8 channels of DDR5-5600"),
  ]

  private static func processor(
    id: String, name: String, bandwidth: Double, fp32: Double, bf16: Double, source: String
  ) -> Device {
    var device = Device(
      id: id, name: name, memory: .zero, memorySource: "the scenario's host_memory",
      computeCapability: 0, multiprocessors: 0, bandwidth: bandwidth,
      rates: .init(fp32: fp32, fp16: 0, bf16: bf16), source: source)
    device.kind = .processor
    return device
  }
}

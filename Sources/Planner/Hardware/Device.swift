/// An accelerator: what its memory holds and how fast it is.
public struct Device: Hashable, Sendable {
  /// The catalog's name: `rtx-4090`.
  public var id: String
  /// The maker's name.
  public var name: String
  /// What a process can see of its memory: what `torch.cuda` reports as total, in bytes.
  public var memory: Bytes
  /// How that figure is known.
  public var memorySource: String
  /// CUDA compute capability × 10: 89 is 8.9.
  public var computeCapability: Int
  /// Streaming multiprocessors.
  public var multiprocessors: Int
  /// Bytes per second to its own memory.
  public var bandwidth: Double
  /// Dense matrix rates in FLOP per second.
  public var rates: Rates
  /// Where the figures come from.
  public var source: String
  /// Bytes per second to the host each way, or `nil` for what devices of its generation have.
  public var hostBandwidth: Double?
  /// Whether it is an accelerator or the host's own processors.
  public var kind = Kind.accelerator

  /// What a device is.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// A GPU with memory of its own.
    case accelerator = "gpu"
    /// Processors that train in the host's memory.
    case processor = "cpu"
  }

  /// Dense matrix rates in FLOP per second; zero where the format is not supported in hardware.
  public struct Rates: Hashable, Sendable {
    /// fp32 (no TF32).
    public var fp32: Double
    /// fp16 with fp32 accumulation.
    public var fp16: Double
    /// bf16 with fp32 accumulation.
    public var bf16: Double

    /// Rates in FLOP per second.
    public init(fp32: Double, fp16: Double, bf16: Double) {
      self.fp32 = fp32
      self.fp16 = fp16
      self.bf16 = bf16
    }
  }

  /// Describes a device.
  public init(
    id: String, name: String, memory: Bytes, memorySource: String, computeCapability: Int,
    multiprocessors: Int, bandwidth: Double, rates: Rates, source: String
  ) {
    self.id = id
    self.name = name
    self.memory = memory
    self.memorySource = memorySource
    self.computeCapability = computeCapability
    self.multiprocessors = multiprocessors
    self.bandwidth = bandwidth
    self.rates = rates
    self.source = source
  }

  /// Threads one multiprocessor can hold: 1,536 on 8.6, 8.9 and 12.x, 1,024 on 7.5, 2,048 on the data-center chips.
  ///
  /// Source: CUDA C++ Programming Guide, table of technical specifications per compute capability.
  public var threadsPerMultiprocessor: Int {
    switch computeCapability {
    case 75: 1024
    case 86, 87, 89, 120...: 1536
    default: 2048
    }
  }
}

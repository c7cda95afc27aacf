/// What a plan comes to: numbers only, for one device.
public struct Report: Sendable {
  /// The scenario's name.
  public var name: String
  /// The device's name.
  public var device: String
  /// The model's name.
  public var model: String
  /// All parameters, tied ones once.
  public var parameters: Int
  /// Parameters that receive gradients.
  public var trainableParameters: Int
  /// Parameters that one token is computed with, where experts share the tokens.
  public var activeParameters: Int? = nil
  /// Whether the run fits: ``need`` is at most `capacity`, and what lies on the host at most what that offers.
  public var fits: Bool
  /// The highest point of the step.
  public var peak: Peak
  /// What the device offers to a process, in bytes.
  public var capacity: Bytes
  /// Each phase with its own highest point, in the order of the step.
  public var phases: [PhasePeak]
  /// What is live while the checkpoint loads, where it is quantized on the way; at most.
  public var loading: Loading? = nil
  /// What recomputation costs.
  public var recompute: Recompute
  /// FLOPs of one step on one device, recomputation included; matrix products and attention.
  public var flops: FLOPs
  /// Those of them that are computed again.
  public var recomputedFLOPs: FLOPs = .zero
  /// The expected time of the model's kernels in one step on one device, recomputation included.
  public var seconds: Seconds
  /// How long one optimizer step takes.
  public var time: StepTime
  /// How many devices there are and how many it takes.
  public var devices: DeviceCount
  /// What it exchanges with other devices; `nil` where it is alone.
  public var communication: Communication? = nil
  /// The ranks of a pipeline; `nil` where a device has all layers.
  public var pipeline: PipelineUse? = nil
  /// What lies on the host; `nil` where nothing does.
  public var host: HostUse? = nil
  /// How the caching allocator does, where it was replayed.
  public var allocator: Allocator? = nil
  /// What the whole run takes; `nil` where the scenario does not say how long it is.
  public var run: Run? = nil
  /// What was taken for granted, in a fixed order.
  public var assumptions: [Assumption]

  /// What the device must offer: for the step, or for loading where that takes more.
  public var need: Bytes { max(peak.device, loading?.device ?? .zero) }

  /// The highest point of the step.
  public struct Peak: Hashable, Sendable {
    /// Bytes of live tensors, as they were asked for.
    public var live: Bytes
    /// The same with each tensor rounded up to the allocator's 512 bytes.
    public var allocated: Bytes
    /// What the caching allocator is expected to hold from the driver, at most.
    public var reserved: Bytes
    /// What the device must offer: reserved memory and the CUDA context.
    public var device: Bytes
    /// The phase that has it.
    public var phase: Phase
    /// The operation at that moment, with its place in the model.
    public var operation: String
    /// What is live at that moment, by role; adds up to `live` exactly.
    public var breakdown: Breakdown
  }

  /// The highest point of one phase.
  public struct PhasePeak: Hashable, Sendable {
    /// The phase.
    public var phase: Phase
    /// Bytes of live tensors, as they were asked for.
    public var live: Bytes
    /// The same, rounded up tensor by tensor.
    public var allocated: Bytes
    /// What the caching allocator is expected to hold from the driver, at most.
    public var reserved: Bytes
    /// The operation at that moment.
    public var operation: String
    /// What is live at that moment, by role; adds up to `live` exactly.
    public var breakdown: Breakdown
  }

  /// The highest point before the first step, where weights are quantized while they load.
  public struct Loading: Hashable, Sendable {
    /// Bytes of live tensors.
    public var live: Bytes
    /// What the device must offer for it.
    public var device: Bytes
  }

  /// How the caching allocator does.
  public struct Allocator: Hashable, Sendable {
    /// The least that an order of addresses made it hold.
    public var reservedLow: Bytes
    /// The most that an order of addresses made it hold.
    public var reservedHigh: Bytes
    /// The orders of addresses that were replayed.
    public var orders: Int
    /// The most that free pieces of segments took whose other pieces were in use.
    public var inactiveSplit: Bytes
    /// The largest block that is free after the step.
    public var largestFreeBlock: Bytes
    /// The least that any layout of the same tensors needs.
    public var ideal: Bytes
    /// How often cached memory went back to the driver to get other memory.
    public var retries: Int
  }

  /// What recomputation costs, relative to the same step without it.
  public struct Recompute: Hashable, Sendable {
    /// Recomputed FLOPs ÷ FLOPs of the step without recomputation.
    public var flopsFraction: Double
    /// The same in estimated time.
    public var timeFraction: Double
  }

  /// Devices of the kind that the scenario names.
  public struct DeviceCount: Hashable, Sendable {
    /// How many the plan uses.
    public var used: Int
    /// The least that works with the same strategies, or `nil` when no number does.
    public var minimum: Int?
  }
}

/// Memory by role; the parts add up to the whole exactly.
public struct Breakdown: Hashable, Sendable {
  private var parts: [Int]

  /// Nothing of any role.
  public init() { parts = Array(repeating: 0, count: Role.allCases.count) }

  /// The memory of one role.
  public subscript(_ role: Role) -> Bytes {
    get { Bytes(parts[Int(role.rawValue)]) }
    set { parts[Int(role.rawValue)] = newValue.count }
  }
}

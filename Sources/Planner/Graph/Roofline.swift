/// What kernels reach of a device's peak rates.
///
/// The shares are of the dense peak and the bandwidth in the data sheet. A kernel takes its work at these rates and
/// ``start``, so small ones reach less: on an A100 a product of 1 GFLOP 0.65 and one of 16 GFLOP 0.97 of what a large
/// one does, as Calculon's thresholds have it (0.60 of the peak from 1 GFLOP on, 0.90 from 16, 0.95 from 128).
public struct KernelEfficiency: Hashable, Sendable {
  /// Of the matrix rate, for large products of a model's layers.
  public var products = 0.6
  /// Of the matrix rate, for FlashAttention's forward, half of the square counted under a causal mask.
  public var attention = 0.4
  /// The same for its backward, five products counted.
  public var attentionBackward = 0.35
  /// Of the bandwidth, for kernels that read and write memory.
  public var memory = 0.8
  /// Seconds in which a kernel fills and empties the device.
  public var start = 2.5e-6
  /// Seconds that the host takes for each kernel it launches; what is beyond the kernels' own time is waited for.
  ///
  /// Source: 5 to 10 µs without CUDA graphs, as ml-engineering and SimuMax have it.
  public var launch = 7e-6

  /// Shares in the middle of what devices reach.
  public init() {}
}

extension KernelTraits {
  /// The estimated time of one kernel that computes `flops` in `dtype` and moves `bytes`: the roofline.
  func time(_ kind: KernelKind, flops: Int, bytes: Int, dtype: DType, isBackward: Bool = false)
    -> KernelTime
  {
    let rate = dtype.size >= 4 ? rate32 : rate16
    let share =
      switch kind {
      case .product: efficiency.products
      case .attention: isBackward ? efficiency.attentionBackward : efficiency.attention
      case .memory: 1.0
      }
    let computing = Double(flops) / max(rate * share, 1)
    let moving = Double(bytes) / max(bandwidth * efficiency.memory, 1)
    return KernelTime(kind, seconds: max(computing, moving) + efficiency.start)
  }

  /// The estimated time of one kernel that moves `bytes`.
  func time(moving bytes: Int) -> KernelTime {
    time(.memory, flops: 0, bytes: bytes, dtype: .fp32)
  }
}

/// What the operation being written costs, from which the cost of its backward follows.
struct OperationCost: Sendable {
  var kind = KernelKind.memory
  var bytes = 0
  var dtype = DType.fp32
  /// How much faster the matrix units are than in 16 bits.
  var speed = 1
  /// What further kernels read and write, in forward and for each gradient.
  var alsoMoving = 0
}

extension Forward {
  /// The times of the current operation's backward steps, once all of it is written.
  ///
  /// The gradients of a product's operands are products over the same three matrices; attention's backward reads and
  /// writes twice what its forward does, in one kernel. Any other gradient reads the incoming one and what was saved
  /// for it, and is written. Temporaries that are activations are made by a kernel each.
  mutating func timeBackward() {
    var incoming = 0
    for index in current.outputs { incoming &+= outputBytes(program.registers[index]) }
    for index in current.steps {
      let step = program.steps[index]
      switch step.kind {
      case .gradient where step.flops > 0:
        let isAttention = cost.kind == .attention
        program.steps[index].time = context.kernels.time(
          cost.kind, flops: step.flops / cost.speed,
          bytes: isAttention ? 2 &* cost.bytes : cost.bytes, dtype: cost.dtype, isBackward: true)
        if cost.alsoMoving > 0 {
          program.steps[index].time.add(context.kernels.time(moving: cost.alsoMoving))
        }
      case .gradient where cost.kind != .attention:
        program.steps[index].time = context.kernels.time(
          moving: incoming &+ step.bytes &+ savedBytes(for: step.mask))
      case .allocate where step.role == .activations, .convert:
        program.steps[index].time = context.kernels.time(moving: 2 &* step.bytes)
      case .reduce:
        program.steps[index].time = context.kernels.time(moving: incoming &+ step.bytes)
      case .gradient, .pass, .reuse, .share, .allocate, .free, .settle: break
      }
    }
  }

  private func savedBytes(for mask: UInt8) -> Int {
    var bytes = 0
    for saves in [current.savedInputs, current.savedOutputs] {
      for index in saves where program.saves[index].mask & mask != 0 && mask != .max {
        bytes &+= program.saves[index].bytes
      }
    }
    return bytes
  }
}

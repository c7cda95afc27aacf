/// Estimated seconds of kernels by what limits them, with the number of kernels.
///
/// One vector, so that adding the time of an operation up over the layers of a model costs one instruction.
struct KernelTime: Hashable, Sendable {
  private var parts: SIMD4<Double>

  /// No kernel.
  static let zero = KernelTime(parts: .zero)

  private init(parts: SIMD4<Double>) { self.parts = parts }

  /// One kernel.
  init(_ kind: KernelKind, seconds: Double) {
    switch kind {
    case .product: parts = SIMD4(seconds, 0, 0, 1)
    case .attention: parts = SIMD4(0, seconds, 0, 1)
    case .memory: parts = SIMD4(0, 0, seconds, 1)
    }
  }

  /// Seconds of matrix products.
  var products: Double { parts[0] }
  /// Seconds of fused attention.
  var attention: Double { parts[1] }
  /// Seconds of kernels that read and write memory: norms, activations, sums, copies, losses.
  var memory: Double { parts[2] }
  /// How many kernels there are.
  var kernels: Double { parts[3] }
  /// All seconds.
  var seconds: Double { parts[0] + parts[1] + parts[2] }

  /// What runs besides, `times` over.
  mutating func add(_ other: KernelTime, times: Double = 1) { parts += other.parts * times }

  /// The sum.
  static func + (a: Self, b: Self) -> Self { Self(parts: a.parts + b.parts) }
  /// All of it `times` over.
  static func * (a: Self, times: Double) -> Self { Self(parts: a.parts * times) }
}

/// What limits a kernel.
enum KernelKind: UInt8, Sendable {
  /// A matrix product: the rate of the matrix units.
  case product
  /// Attention in one kernel.
  case attention
  /// Anything else: the bandwidth of the device's memory.
  case memory
}

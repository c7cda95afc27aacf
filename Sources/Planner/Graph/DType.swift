/// A number format of tensor elements.
public enum DType: String, Hashable, Sendable, CaseIterable {
  /// 32-bit IEEE floating point.
  case fp32
  /// 16-bit brain floating point.
  case bf16
  /// 16-bit IEEE floating point.
  case fp16
  /// 32-bit integers: counts and offsets.
  case int32
  /// 64-bit integers: token ids, labels, positions.
  case int64
  /// Truth values, one byte each.
  case bool
  /// 8-bit integers: quantized optimizer states and weights.
  case uint8

  /// Bytes of one element.
  @inlinable public var size: Int {
    switch self {
    case .fp32, .int32: 4
    case .bf16, .fp16: 2
    case .int64: 8
    case .bool, .uint8: 1
    }
  }

  /// The format of a result that mixes both operands, as PyTorch promotes floating-point types.
  func promoted(with other: DType) -> DType {
    if self == other { return self }
    if size == other.size { return .fp32 }
    return size > other.size ? self : other
  }
}

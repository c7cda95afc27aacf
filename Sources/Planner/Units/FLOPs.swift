/// Floating-point operations; a fused multiply-add counts as two.
///
/// 128 bits: a step of a 405B model over 16 million tokens is 4·10¹⁹ and no longer fits 64.
public struct FLOPs: Quantity {
  /// See ``Quantity/unit``.
  public static let unit = "floating-point operations"
  /// The number of operations.
  public let count: Int128

  /// Wraps a number of operations.
  public init(_ count: Int128) { self.count = count }
}

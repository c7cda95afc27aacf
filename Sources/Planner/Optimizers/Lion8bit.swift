/// Lion with an 8-bit state (`bnb.optim.Lion8bit`).
///
/// Source: `bitsandbytes/optim/lion.py`, bitsandbytes 0.50.
public struct Lion8bit: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "lion-8bit"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Lion with an 8-bit state (bitsandbytes): 1.02 bytes per parameter."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 1
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = true
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = false

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "Lion, 8-bit state" }
}

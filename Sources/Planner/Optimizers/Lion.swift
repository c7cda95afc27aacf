/// Lion with an fp32 state (`bnb.optim.Lion`).
///
/// Source: `bitsandbytes/optim/lion.py`, bitsandbytes 0.50.
public struct Lion: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "lion"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Lion (bitsandbytes): one fp32 state per parameter."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 1
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = false
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = false

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "Lion" }
}

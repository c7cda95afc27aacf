/// Lion with an 8-bit state in managed memory (`bnb.optim.PagedLion8bit`).
///
/// Source: `bitsandbytes/optim/lion.py`, bitsandbytes 0.50.
public struct PagedLion8bit: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "paged-lion-8bit"
  /// See ``Optimizer/summary``.
  public static let summary =
    "Lion with an 8-bit state in managed memory (bitsandbytes), paged."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 1
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = true
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = true

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "Lion, paged 8-bit state" }
}

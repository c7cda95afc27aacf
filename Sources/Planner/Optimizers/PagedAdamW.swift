/// AdamW with fp32 states in managed memory (`bnb.optim.PagedAdamW32bit`).
///
/// Source: `bitsandbytes/optim/adamw.py`, bitsandbytes 0.50.
public struct PagedAdamW: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "paged-adamw"
  /// See ``Optimizer/summary``.
  public static let summary =
    "AdamW with fp32 states in managed memory (bitsandbytes): 8 bytes per parameter, paged."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 2
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = false
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = true

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "AdamW, paged states" }
}

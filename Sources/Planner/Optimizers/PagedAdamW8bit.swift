/// AdamW with 8-bit states in managed memory (`bnb.optim.PagedAdamW8bit`).
///
/// Source: `bitsandbytes/optim/adamw.py`, bitsandbytes 0.50.
public struct PagedAdamW8bit: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "paged-adamw-8bit"
  /// See ``Optimizer/summary``.
  public static let summary =
    "AdamW with 8-bit states in managed memory (bitsandbytes): 2 bytes per parameter, paged."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 2
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = true
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = true

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "AdamW, paged 8-bit states" }
}

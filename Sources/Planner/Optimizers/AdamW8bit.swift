/// AdamW with 8-bit states (`bnb.optim.AdamW8bit`).
///
/// Source: `bitsandbytes/optim/adamw.py`, bitsandbytes 0.50.
public struct AdamW8bit: BlockwiseOptimizer {
  /// See ``Optimizer/name``.
  public static let name = "adamw-8bit"
  /// See ``Optimizer/summary``.
  public static let summary =
    "AdamW with 8-bit states in blocks of 256 (bitsandbytes): 2.03 bytes per parameter."
  /// See ``BlockwiseOptimizer/stateCount``.
  public static let stateCount = 2
  /// See ``BlockwiseOptimizer/isQuantized``.
  public static let isQuantized = true
  /// See ``BlockwiseOptimizer/isPaged``.
  public static let isPaged = false

  /// With its only configuration.
  public init() {}

  /// See ``Optimizer/label``.
  public var label: String { "AdamW, 8-bit states" }
}

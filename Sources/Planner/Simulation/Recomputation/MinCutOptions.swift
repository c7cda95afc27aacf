/// Why the partitioner refuses to compute something again.
///
/// Source: `MinCutOptions` and the `ban_recompute_*` settings of PyTorch 2.11's `torch/_functorch/config.py`.
struct MinCutOptions: Hashable, Sendable {
  /// Readers of a value that lie behind an operator which no kernel can be fused with.
  var usedFarApart = true
  /// What is reached by more than a hundred operators that one kernel could run.
  var longChains = true
  /// What an operator of backward that cannot be fused reads.
  var materializedBackward = true
  /// Everything that is not listed; else only products, attention and random numbers.
  var unlisted = true

  /// The default, which makes a step fast.
  static let fastest = Self()
  /// Without the bans that only keep kernels from reading too much.
  static let lessMemory = Self(
    usedFarApart: false, longChains: false, materializedBackward: false)
  /// All but products, attention, random numbers and reductions are computed again.
  static let leastMemory = Self(
    usedFarApart: false, longChains: false, materializedBackward: false, unlisted: false)
}

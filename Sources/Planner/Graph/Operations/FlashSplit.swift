/// FlashAttention's splitting of the keys, where batch and heads alone would leave multiprocessors idle.
///
/// Each split writes its own result and log-sum-exp in fp32, which a second kernel combines.
///
/// Source: `set_params_splitkv` and `num_splits_heuristic` in PyTorch 2.11's
/// `aten/src/ATen/native/transformers/cuda/flash_attn/flash_api.cpp`.
enum FlashSplit {
  /// Into how many parts the keys are split; 1 allocates nothing, and is all that dropout can do.
  static func count(_ shape: AttentionShape, on kernels: KernelTraits) throws(PlanError) -> Int {
    if shape.dropout { return 1 }
    let keys = shape.headWidth <= 64 ? 256 : shape.headWidth <= 128 ? 128 : 64
    let keyBlocks = ceil(shape.keys, keys)
    let blocks = try checkedProduct(shape.batch, shape.heads, ceil(shape.queries, 64))
    let slots = 2 * kernels.multiprocessors
    if 5 * Double(blocks) >= 4 * Double(slots) { return 1 }
    let most = min(128, slots, keyBlocks)
    var best: Float = 0
    var efficiencies: [(splits: Int, efficiency: Float)] = []
    for splits in stride(from: 1, through: most, by: 1)
    where splits == 1 || ceil(keyBlocks, splits) != ceil(keyBlocks, splits - 1) {
      let waves = Float(blocks * splits) / Float(slots)
      let efficiency = waves / waves.rounded(.up)
      best = max(best, efficiency)
      efficiencies.append((splits, efficiency))
    }
    return efficiencies.first { Double($0.efficiency) >= 0.85 * Double(best) }?.splits ?? 1
  }

  /// The width that the kernels pad a head to.
  static func width(_ headWidth: Int) -> Int {
    headWidth <= 192 ? ceil(headWidth, 32) * 32 : 256
  }

  private static func ceil(_ a: Int, _ b: Int) -> Int { a / b + (a % b == 0 ? 0 : 1) }
}

/// The tile of the memory-efficient attention's backward kernel, which decides its workspace.
///
/// Source: `kernels/cutlassB.h` (the kernels in the order in which they are tried) and `Params::workspace_size` of
/// `kernel_backward.h` in PyTorch 2.11's `aten/src/ATen/native/transformers/cuda/mem_eff_attention`; the number of
/// splits is `_efficient_attention_backward`'s in `attention_backward.cu`.
struct EfficientAttentionTile: Hashable, Sendable {
  /// Query rows of a tile.
  var queries: Int
  /// Key rows of a tile.
  var keys: Int
  /// Whether the gradients of keys and values are summed in fp32 in memory instead of registers.
  var stagesKeyGradients: Bool

  /// The first kernel of the format whose largest head and shared memory suffice.
  static func chosen(dtype: DType, headWidth: Int, on kernels: KernelTraits) -> Self {
    let capability = kernels.computeCapability
    // Tiles of 128 × 128, or of 128 × 64 in fp32, need more shared memory than small chips have.
    let large = capability >= 80 && kernels.threadsPerMultiprocessor >= 2048
    if dtype == .fp32 {
      return Self(queries: large && headWidth > 64 ? 128 : 64, keys: 64, stagesKeyGradients: false)
    }
    if headWidth <= 64 { return Self(queries: 64, keys: 64, stagesKeyGradients: false) }
    if headWidth > 128 { return Self(queries: 128, keys: 64, stagesKeyGradients: true) }
    if capability < 80 || headWidth <= 96 && (capability == 86 || capability == 89) {
      return Self(queries: 128, keys: 64, stagesKeyGradients: false)
    }
    return large
      ? Self(queries: 128, keys: 128, stagesKeyGradients: false)
      : Self(queries: 64, keys: 64, stagesKeyGradients: true)
  }

  /// Bytes of the query gradient's tiles, each with a lock of 16 bytes, and of staged key and value gradients.
  func workspace(_ shape: AttentionShape) throws(PlanError) -> Int {
    let matrices = try checkedProduct(shape.batch, shape.heads)
    let tiles = try checkedProduct(
      Self.ceil(shape.queries, queries), Self.ceil(shape.headWidth, keys))
    var bytes = try checkedProduct(tiles, 4 * queries * keys + 16)
    if stagesKeyGradients {
      let splits = max(1, min(Self.ceil(shape.keys, keys), 200 / max(1, matrices)))
      let width = Self.ceil(shape.headWidth, queries) * queries
      let (sum, overflow) = bytes.addingReportingOverflow(
        try checkedProduct(8, splits, keys, width))
      guard !overflow else { throw .overflow("bytes", "an attention workspace") }
      bytes = sum
    }
    return try TensorSpec(matrices, bytes, .bool).bytes
  }

  private static func ceil(_ a: Int, _ b: Int) -> Int { a / b + (a % b == 0 ? 0 : 1) }
}

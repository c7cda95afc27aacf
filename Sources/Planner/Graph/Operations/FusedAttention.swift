/// The kernel that `scaled_dot_product_attention` takes.
enum AttentionKernel: Hashable, Sendable {
  /// cuDNN's: 16-bit formats and aligned heads, up to 256 wide on compute capability 9.x, 128 on 10.x.
  case cudnn
  /// FlashAttention 2: 16-bit formats from compute capability 8.0 on, 12.x included, without a mask; heads of one size.
  case flash
  /// CUTLASS's memory-efficient attention: fp32, a mask or Turing; as many key heads as query heads.
  case efficient
  /// FlashAttention on processors, in all formats and without dropout.
  case processor
  /// Matrix products and a softmax: whatever is left.
  case math

  /// PyTorch's choice among its kernels, in its order of priority.
  ///
  /// Source: `select_sdp_backend`, `check_cudnn_tensor_shapes`, `check_head_dim_size_flash` and
  /// `minimum_gemm_alignment` in PyTorch 2.11's `aten/src/ATen/native/transformers/cuda/sdp_utils.cpp`; checked
  /// with `torch._fused_sdp_choice` for compute capabilities 7.0 to 12.0, three formats and ten head sizes, and
  /// for twelve pairs of different query and value heads.
  static func chosen(
    _ shape: AttentionShape, dtype: DType, masked: Bool, on kernels: KernelTraits
  ) -> AttentionKernel {
    if kernels.isProcessor {
      return shape.dropout || shape.values != shape.headWidth ? .math : .processor
    }
    if masked, shape.bias == .strided { return .math }
    let capability = kernels.computeCapability
    let (half, width) = (dtype == .bf16 || dtype == .fp16, shape.headWidth)
    let (equal, widest) = (shape.values == width, max(shape.values, width))
    if half, width % 8 == 0, shape.values % 8 == 0, shape.bias != .trained {
      if capability / 10 == 9, widest <= 256 { return .cudnn }
      if capability / 10 == 10, widest <= 128 || width == 192 && shape.values == 128 {
        return .cudnn
      }
    }
    if half, capability >= 80, !masked, width <= 256, equal { return .flash }
    let alignment = half ? 8 : capability >= 80 ? 4 : 1
    let supported = dtype == .bf16 ? capability >= 80 : capability >= 50
    let aligned = width % alignment == 0 && shape.values % alignment == 0
    if supported, shape.heads == shape.keyHeads, aligned { return .efficient }
    return .math
  }
}

/// The dimensions of one attention.
struct AttentionShape: Hashable, Sendable {
  /// Sequences.
  var batch: Int
  /// Query positions.
  var queries: Int
  /// Key positions.
  var keys: Int
  /// Query heads.
  var heads: Int
  /// Key and value heads.
  var keyHeads: Int
  /// Elements of a head.
  var headWidth: Int
  /// Whether a query sees only what comes before it.
  var causal = true
  /// Whether weights are dropped out.
  var dropout = false
  /// Elements of a value head, where they are others.
  var valueWidth: Int?
  /// What the mask is.
  var bias = Bias.constant

  /// Kinds of mask that kernels distinguish.
  enum Bias: Hashable, Sendable {
    /// One that wants no gradient.
    case constant
    /// One that wants a gradient, which cuDNN does not make.
    case trained
    /// One whose keys do not lie side by side in memory, which no fused kernel reads.
    case strided
  }

  /// Elements of a value head.
  var values: Int { valueWidth ?? headWidth }
}

/// Fused attention kernels and what their backward allocates.
extension Forward {
  /// `scaled_dot_product_attention` by one of the fused kernels; saves q, k, v, the result and the log-sum-exp.
  ///
  /// - Parameters:
  ///   - bias: An additive mask that the kernel saves too, or `nil`; its gradient has rows of whole 16 elements.
  ///   - shape: The dimensions as the kernel sees them: with padded heads.
  ///   - copiesInBackward: Whether FlashAttention's result and its gradient lie in another layout than its kernel
  ///     wants, so that its backward copies both first.
  ///
  /// Without a gradient to come, only FlashAttention still makes the log-sum-exp.
  mutating func fusedAttention(
    _ q: Value, _ k: Value, _ v: Value, bias: Value?, shape: AttentionShape,
    kernel: AttentionKernel, copiesInBackward: Bool = false
  ) throws(PlanError) -> Value {
    let statistics = try rowStatistics(shape, kernel)
    let flops = try attentionFLOPs(shape, causal: shape.causal && bias == nil)
    begin(
      kernel == .cudnn
        ? "cudnn_attention" : kernel == .flash ? "flash_attention" : "efficient_attention",
      q, k, v, shape.bias == .trained ? bias : nil)
    save(k, for: .max, transposed: shape.keyHeads > 1)
    save(q, for: .max, transposed: shape.heads > 1)
    save(v, for: .max, transposed: shape.keyHeads > 1)
    if let bias { save(bias, for: .max) }
    work(
      flops: flops, bytes: 2 * q.spec.bytes + k.spec.bytes + v.spec.bytes, dtype: q.spec.dtype,
      kind: .attention)
    current.unmaskedFLOPs = try attentionFLOPs(shape, causal: false)
    if copiesInBackward {
      temporary(4, q.spec.bytes)
      temporary(5, q.spec.bytes)
    }
    // The backward computes five matrix products where the forward computes two.
    gradient(0, q.spec, flops: try checkedProduct(flops / 2, 5), always: true)
    gradient(1, k.spec, always: true)
    gradient(2, v.spec, always: true)
    if shape.bias == .trained, let bias {
      let keys = Self.align(shape.keys, 16)
      let matrices = try checkedProduct(shape.batch, shape.heads, shape.queries)
      gradient(
        3, try TensorSpec(matrices, keys, bias.spec.dtype), view: keys != shape.keys,
        part: try TensorSpec(matrices, shape.keys, bias.spec.dtype).bytes)
    }
    try backwardWorkspace(q, k, v, shape: shape, kernel: kernel)
    if copiesInBackward {
      free(4)
      free(5)
    }
    let output = register(try TensorSpec(q.spec.rows, shape.values, q.spec.dtype))
    let rows = register(statistics)
    let seed = register(try TensorSpec(1, kernel == .flash ? 2 : 1, .int64))
    let offset = register(try TensorSpec(1, 1, .int64))
    record()
    if kernel == .cudnn {
      allocate(seed, role: .other)
      allocate(offset, role: .other)
    }
    allocate(output)
    allocate(rows, forGradient: kernel != .flash)
    if kernel == .flash {
      let parts = try flashSplits(
        shape, statistics, width: FlashSplit.width(shape.headWidth))
      for part in parts { allocate(part, role: .workspace) }
      allocate(seed, role: .other)
      allocate(offset, role: .other)
      for part in parts { discard(part) }
    }
    if let sums = try efficientSums(q, shape, kernel) {
      allocate(sums, role: .workspace)
      discard(sums)
    }
    let hasNoSeeds = kernel == .efficient || kernel == .processor
    link(
      output, after: rows, and: hasNoSeeds ? [] : [seed, offset], transposed: shape.heads > 1)
    if let bias { discard(bias) }
    return output
  }

  /// The log-sum-exps and results, `width` wide, of FlashAttention's splits, which live while it runs.
  mutating func flashSplits(_ shape: AttentionShape, _ statistics: TensorSpec, width: Int)
    throws(PlanError) -> [Value]
  {
    let splits = try FlashSplit.count(shape, on: context.kernels)
    guard splits > 1 else { return [] }
    let rows = try checkedProduct(splits, statistics.rows)
    return [
      register(try TensorSpec(rows, statistics.columns, .fp32)),
      register(
        try TensorSpec(
          try checkedProduct(rows, statistics.columns), width, .fp32)),
    ]
  }

  /// What the memory-efficient kernel adds its result up in while it runs, where a head does not fit into registers.
  ///
  /// Source: `kNeedsOutputAccumulatorBuffer` of `kernel_forward.h` in PyTorch 2.11's
  /// `aten/src/ATen/native/transformers/cuda/mem_eff_attention`: the kernel for heads wider than 128 (`32x128_gmem`), in
  /// 16 bits.
  private mutating func efficientSums(
    _ q: Value, _ shape: AttentionShape, _ kernel: AttentionKernel
  ) throws(PlanError) -> Value? {
    guard kernel == .efficient, q.spec.dtype.size == 2, max(shape.headWidth, shape.values) > 128
    else { return nil }
    return register(try TensorSpec(q.spec.rows, shape.values, .fp32))
  }

  /// The log-sum-exp of each query row, in fp32; the memory-efficient kernel pads rows to 32.
  private func rowStatistics(_ shape: AttentionShape, _ kernel: AttentionKernel)
    throws(PlanError) -> TensorSpec
  {
    let rows = kernel == .efficient ? Self.align(shape.queries, 32) : shape.queries
    return try TensorSpec(try checkedProduct(shape.batch, shape.heads), rows, .fp32)
  }

  /// Two matrix products over the scores; half of them under a causal mask.
  private func attentionFLOPs(_ shape: AttentionShape, causal: Bool) throws(PlanError) -> Int {
    let scores = try checkedProduct(shape.batch, shape.heads, shape.queries, shape.keys)
    return try checkedProduct(causal ? 2 : 4, scores, shape.headWidth)
  }

  /// What the backward kernels allocate beside the three gradients.
  mutating func backwardWorkspace(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, kernel: AttentionKernel
  ) throws(PlanError) {
    let matrices = try checkedProduct(shape.batch, shape.heads)
    let wide = q.spec.cast(to: .fp32)
    let rows = 4 &* matrices &* shape.queries
    switch kernel {
    case .cudnn:
      temporary(0, wide.bytes + rows, role: .workspace)
      free(0)
    case .flash:
      let padded = Self.align(shape.queries, 128)
      temporary(0, 4 &* matrices &* padded, role: .workspace)
      let width = FlashSplit.width(shape.headWidth)
      temporary(
        1, try TensorSpec(matrices, try checkedProduct(padded, width), .fp32).bytes,
        role: .workspace)
      if shape.heads != shape.keyHeads {
        let expanded = try TensorSpec(matrices * shape.keys, shape.headWidth, k.spec.dtype)
        temporary(2, expanded.bytes, role: .workspace)
        temporary(3, expanded.bytes, role: .workspace)
        free(2)
        free(3)
      }
      free(0)
      free(1)
    case .efficient:
      // In fp32 the output times its gradient is summed outside the kernel; one head's sums lie in order already.
      if q.spec.dtype == .fp32 {
        let result = try TensorSpec(q.spec.rows, shape.values, .fp32)
        temporary(0, result.bytes, role: .workspace)
        temporary(1, rows, role: .workspace)
        if shape.heads > 1 {
          temporary(2, rows, role: .workspace)
          free(1)
        }
        free(0)
      } else {
        temporary(1, rows, role: .workspace)
      }
      temporary(
        3,
        try EfficientAttentionTile.chosen(
          dtype: q.spec.dtype, headWidth: max(shape.headWidth, shape.values), on: context.kernels
        ).workspace(shape), role: .workspace)
      free(q.spec.dtype == .fp32 && shape.heads > 1 ? 2 : 1)
      free(3)
    case .math, .processor: break
    }
  }

  static func align(_ n: Int, _ step: Int) -> Int { (n + step - 1) / step * step }
}

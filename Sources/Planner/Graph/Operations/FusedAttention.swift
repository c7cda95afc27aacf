/// The kernel that `scaled_dot_product_attention` takes.
enum AttentionKernel: Hashable, Sendable {
  /// cuDNN's: 16-bit formats on compute capability 9.0 and 10.x.
  case cudnn
  /// FlashAttention 2: 16-bit formats from compute capability 8.0 on, without a mask.
  case flash
  /// CUTLASS's memory-efficient attention: fp32 or a mask, as many key heads as query heads.
  case efficient
  /// Matrix products and a softmax: whatever is left.
  case math

  /// PyTorch's choice among its kernels, in its order of priority.
  ///
  /// Source: `_fused_sdp_choice_cuda` in PyTorch 2.11's `aten/src/ATen/native/transformers/cuda/sdp_utils.cpp`,
  /// checked against the kernels that the reference runs took.
  static func chosen(
    _ shape: AttentionShape, dtype: DType, masked: Bool, on kernels: KernelTraits
  ) -> AttentionKernel {
    let capability = kernels.computeCapability
    let half = dtype == .bf16 || dtype == .fp16
    let aligned = shape.headWidth % 8 == 0
    if half, (90..<110).contains(capability), aligned, shape.headWidth <= 256 { return .cudnn }
    if half, capability >= 80, !masked, shape.headWidth <= 256 { return .flash }
    let supported = dtype == .bf16 ? capability >= 80 : true
    if supported, shape.heads == shape.keyHeads { return .efficient }
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
}

/// Fused attention kernels and what their backward allocates.
extension Forward {
  /// `scaled_dot_product_attention` by one of the fused kernels; saves q, k, v, the result and the log-sum-exp.
  ///
  /// - Parameters:
  ///   - bias: An additive mask that the kernel saves too, or `nil`.
  ///   - causal: Whether half of the scores are skipped.
  mutating func fusedAttention(
    _ q: Value, _ k: Value, _ v: Value, bias: Value?, shape: AttentionShape,
    kernel: AttentionKernel, causal: Bool
  ) throws(PlanError) -> Value {
    let statistics = try rowStatistics(shape, kernel)
    let flops = try attentionFLOPs(shape, causal: causal)
    begin(
      kernel == .cudnn
        ? "cudnn_attention" : kernel == .flash ? "flash_attention" : "efficient_attention",
      q, k, v)
    save(q, for: .max)
    save(k, for: .max)
    save(v, for: .max)
    if let bias { save(bias, for: .max) }
    work(
      flops: flops, bytes: 2 * q.spec.bytes + k.spec.bytes + v.spec.bytes, dtype: q.spec.dtype)
    // The backward computes five matrix products where the forward computes two.
    gradient(0, q.spec, flops: flops / 2 * 5, always: true)
    gradient(1, k.spec, always: true)
    gradient(2, v.spec, always: true)
    try backwardWorkspace(q, k, v, shape: shape, kernel: kernel, statistics: statistics)
    let output = register(q.spec)
    let rows = register(statistics)
    var extras = [rows]
    record()
    if kernel != .efficient {
      let seed = register(try TensorSpec(1, kernel == .cudnn ? 1 : 2, .int64))
      let offset = register(try TensorSpec(1, 1, .int64))
      allocate(seed, role: .other)
      allocate(offset, role: .other)
      extras += [seed, offset]
    }
    allocate(output)
    allocate(rows)
    link(output, saving: .max, and: extras)
    if let bias { discard(bias) }
    return output
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
  private mutating func backwardWorkspace(
    _ q: Value, _ k: Value, _ v: Value, shape: AttentionShape, kernel: AttentionKernel,
    statistics: TensorSpec
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
      temporary(
        1, try TensorSpec(matrices, padded * shape.headWidth, .fp32).bytes, role: .workspace)
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
      temporary(0, wide.bytes, role: .workspace)
      temporary(1, rows, role: .workspace)
      temporary(2, rows, role: .workspace)
      free(2)
      free(0)
      temporary(3, try queryGradientBlocks(shape, matrices).bytes, role: .workspace)
      free(3)
      free(1)
    case .math: break
    }
  }

  /// Partial query gradients of the memory-efficient kernel: one for each block of 64 rows, with 16 bytes of counters.
  ///
  /// Source: `workspace_elements_gq` in PyTorch's `transformers/cuda/mem_eff_attention/kernel_backward.h`.
  private func queryGradientBlocks(_ shape: AttentionShape, _ matrices: Int) throws(PlanError)
    -> TensorSpec
  {
    let blocks = Self.align(shape.queries, 64) / 64
    return try TensorSpec(
      try checkedProduct(matrices, blocks), 64 * Self.align(shape.headWidth, 32) + 4, .fp32)
  }

  static func align(_ n: Int, _ step: Int) -> Int { (n + step - 1) / step * step }
}

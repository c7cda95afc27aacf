/// The fused layer norm.
extension Forward {
  /// `layer_norm(x, [columns], weight, bias)`; saves its input, and the mean and reciprocal deviation of each row
  /// in fp32 whatever the format of `x`; on processors in its format (`layer_norm_cpu`).
  ///
  /// One kernel makes all three gradients. Autocast runs it in fp32.
  ///
  /// Source: `layer_norm_cuda` in PyTorch's `aten/src/ATen/native/cuda/layer_norm_kernel.cu`.
  mutating func layerNorm(_ x: Value, weight: Parameter?, bias: Parameter?) throws(PlanError)
    -> Value
  {
    // Autocast casts all arguments, the last one first, and keeps none of these casts for others.
    let casts = context.autocast != nil
    let b = bias.map { casts ? cast($0.value, to: .fp32, role: .gradients) : $0.value }
    let w = weight.map { casts ? cast($0.value, to: .fp32, role: .gradients) : $0.value }
    let x = casts ? cast(x, to: .fp32) : x
    begin("native_layer_norm", x, w, b)
    save(x, for: .max)
    if let w { save(w, for: .max) }
    if let b { save(b, for: .max) }
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    if let w { gradient(1, w.spec, role: .gradients) }
    if let b { gradient(2, b.spec, role: .gradients) }
    let output = register(x.spec)
    let mean = register(x.spec.perRow.cast(to: context.kernels.isProcessor ? x.spec.dtype : .fp32))
    let deviation = register(mean.spec)
    record()
    allocate(output)
    allocate(mean)
    allocate(deviation)
    link(output, and: mean, deviation)
    return output
  }
}

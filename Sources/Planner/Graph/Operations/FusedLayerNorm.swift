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
    let x = context.autocast == nil ? x : cast(x, to: .fp32)
    begin("native_layer_norm", x, weight?.value, bias?.value)
    save(x, for: .max)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    if let weight { gradient(1, weight.value.spec, role: .gradients) }
    if let bias { gradient(2, bias.value.spec, role: .gradients) }
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

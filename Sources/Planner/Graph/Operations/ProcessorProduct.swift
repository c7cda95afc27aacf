/// Matrix products on processors.
extension Forward {
  /// Ends a product; on processors oneDNN adds up 16-bit results in fp32 beside them.
  ///
  /// Source: measured with `torch.profiler`, PyTorch 2.11, on an AVX-512 processor without bf16 instructions: 4 bytes an
  /// element and 128 more. Processors with such instructions (AVX512-BF16, AMX) take less.
  mutating func endProduct(_ spec: TensorSpec) throws(PlanError) -> Value {
    guard let bytes = scratch(spec) else { return end(spec) }
    let output = register(spec)
    let copy = register(try TensorSpec(1, bytes, .uint8))
    record()
    allocate(output)
    allocate(copy, role: .workspace)
    discard(copy)
    link(output)
    return output
  }

  /// The same for the gradient of input `index`, which was just made.
  mutating func productScratch(_ index: UInt8, _ spec: TensorSpec) {
    guard let bytes = scratch(spec) else { return }
    temporary(15, bytes, for: 1 << index, role: .workspace)
    free(15, for: 1 << index)
  }

  private func scratch(_ spec: TensorSpec) -> Int? {
    guard context.kernels.isProcessor, spec.dtype.size == 2 else { return nil }
    return 4 &* spec.elements &+ 128
  }
}

/// Matrix products of consecutive groups of rows, each group with a matrix of its own.
extension Forward {
  /// `grouped_mm(x, W, offs)`: rows `[rows, k]`, sorted by group, times `count` matrices `[k, columns]`.
  ///
  /// Neither the result nor what it costs depends on how many rows each group has: only on their sum, and on the rows
  /// of groups that other devices have (``Mesh/expertShare``), which are not computed.
  ///
  /// Source: `_grouped_mm_mat1_mat2_backward` in PyTorch's `tools/autograd/derivatives.yaml`; the weight's gradient is
  /// made first.
  mutating func groupedProduct(
    _ x: Value, _ weight: Parameter, groups count: Int, columns: Int, offsets: Value
  ) throws(PlanError) -> Value {
    let x = cast(x, to: weight.value.spec.dtype)
    let spec = try TensorSpec(x.spec.rows, columns, x.spec.dtype)
    let all = try checkedProduct(2, x.spec.rows, x.spec.columns, columns)
    let flops = Int(exactly: (Double(all) * context.mesh.expertShare).rounded()) ?? all
    let w = weight.value
    begin("grouped_mm", x, w)
    save(x, for: 0b10)
    save(w, for: 0b01, transposed: true)
    save(offsets, for: .max)
    work(
      flops: flops, bytes: x.spec.bytes + w.spec.bytes + spec.bytes, dtype: spec.dtype)
    let parts = GroupedKernel.workspaces(groups: count, dtype: spec.dtype, on: context.kernels)
    func workspaces(for mask: UInt8, _ f: inout Forward) {
      for (index, bytes) in parts.enumerated() {
        f.temporary(UInt8(index), bytes, for: mask, role: .workspace)
      }
      for index in parts.indices.reversed() { f.free(UInt8(index), for: mask) }
    }
    gradient(1, w.spec, view: true, role: .gradients, flops: flops)
    workspaces(for: 0b10, &self)
    gradient(0, x.spec, flops: flops)
    workspaces(for: 0b01, &self)
    let output = register(spec)
    record()
    allocate(output)
    var made: [Value] = []
    for bytes in parts {
      let part = register(try TensorSpec(bytes, 1, .bool))
      allocate(part, role: .workspace)
      made.append(part)
    }
    for part in made.reversed() { discard(part) }
    link(output)
    return output
  }
}

/// What PyTorch's grouped matrix product allocates while it runs.
enum GroupedKernel {
  /// Problem shapes, strides and pointers of each group, then descriptors of each multiprocessor.
  ///
  /// Only bf16 on compute capability 9.0 and 10.0 has a kernel; elsewhere a loop over the groups takes nothing.
  ///
  /// Source: `bf16bf16_grouped_gemm_impl_sm90_sm100` in PyTorch's `aten/src/ATen/native/cuda/GroupMM.cu`; the
  /// reference runs.
  static func workspaces(groups: Int, dtype: DType, on kernels: KernelTraits) -> [Int] {
    let generation = kernels.computeCapability / 10
    guard dtype == .bf16, generation == 9 || generation == 10 else { return [] }
    return [60 &* groups, 512 &* kernels.multiprocessors]
  }
}

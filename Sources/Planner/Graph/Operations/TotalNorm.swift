/// The workspace of PyTorch's reduction kernel when it reduces a whole tensor to one number, as a norm does.
///
/// Large tensors are split over several blocks, which exchange their partial results in fp32, or in the result's format
/// where that is wider.
///
/// Source: `setReduceConfig` in PyTorch's `aten/src/ATen/native/cuda/Reduce.cuh`, with blocks of 512 threads.
enum TotalNorm {
  /// Bytes that the kernel allocates and frees, for partial results of `size` bytes.
  static func workspace(elements: Int, size: Int = 4, on kernels: KernelTraits) -> Int {
    func ceil(_ a: Int, _ b: Int) -> Int { a / b + (a % b == 0 ? 0 : 1) }
    let valuesPerThread = ceil(elements, 512)
    guard valuesPerThread >= 256, !kernels.isProcessor else { return 0 }
    let target = kernels.multiprocessors * (kernels.threadsPerMultiprocessor / 512)
    let blocks = max(min(target, ceil(valuesPerThread, 16)), ceil(valuesPerThread, 256))
    return blocks > 1 ? size * blocks + 4 : 0
  }
}

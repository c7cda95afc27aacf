/// The workspace of PyTorch's reduction kernel when it sums the rows of a matrix away.
///
/// That is how the gradients of norm weights and biases are made: `[rows, columns]` summed to `[columns]`.
/// With few columns the kernel splits the rows over several blocks, which exchange partial sums in fp32.
///
/// Source: `setReduceConfig` in PyTorch's `aten/src/ATen/native/cuda/Reduce.cuh`, with four, two or one columns a
/// thread (`get_output_vec_size`).
enum ColumnSum {
  /// Bytes that the kernel allocates and frees.
  static func workspace(rows: Int, columns: Int, on kernels: KernelTraits) -> Int {
    guard rows > 0, columns > 0, !kernels.isProcessor else { return 0 }
    let vector = columns % 4 == 0 ? 4 : columns % 2 == 0 ? 2 : 1
    let threads = 512 / vector
    let lanes = columns / vector
    var width = min(floorPower(lanes, threads), 32)
    let height = min(floorPower(rows, threads), threads / width)
    width = min(floorPower(lanes, threads), threads / height)
    guard rows >= 16 * height || rows >= 256 else { return 0 }
    let valuesPerThread = ceil(rows, height)
    let grid = ceil(columns, width * vector)
    let target =
      kernels.multiprocessors * (kernels.threadsPerMultiprocessor / (width * height))
    guard valuesPerThread >= 256, grid <= target else { return 0 }
    let blocks = max(
      min(ceil(target, grid), ceil(valuesPerThread, 16)), ceil(valuesPerThread, 256))
    guard blocks > 1 else { return 0 }
    return 4 * columns * blocks * width * vector + 4 * grid
  }

  private static func floorPower(_ n: Int, _ limit: Int) -> Int {
    var power = 1
    while power * 2 <= n, power * 2 <= limit { power *= 2 }
    return power
  }

  private static func ceil(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }
}

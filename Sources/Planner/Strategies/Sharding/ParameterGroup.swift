/// The parameters of one section, which are gathered and reduced together; all figures are bytes on one rank.
///
/// A tensor of `d0` rows is cut along its first dimension: each of N ranks holds `ceil(d0 / N)` rows, and buffers
/// are padded to N times that.
///
/// Source: `FSDPParam` in `torch/distributed/fsdp/_fully_shard/_fsdp_param.py`, PyTorch 2.11.
struct ParameterGroup {
  /// What each parameter takes when it is gathered.
  private(set) var gathered: [Int] = []
  /// What each parameter's share takes in the format that it is gathered in, where that is not the one it is kept in.
  private(set) var casts: [Int] = []
  /// What each parameter's share takes as it is kept.
  private(set) var shares: [Int] = []
  /// Padded elements of the shares that get a gradient.
  private(set) var trainedElements = 0
  /// Elements of each gradient.
  private(set) var gradients: [Int] = []
  /// What the reduced gradients of this rank take in the format of the parameters.
  private(set) var reducedBytes = 0
  /// The format of the trained parameters.
  private(set) var storedFormat = DType.fp32
  /// The index that the copy out of the gathered buffer makes.
  private(set) var copyOutIndex = 0
  /// The weights, as a range of ``Program/leaves``.
  let leaves: [Int]
  /// How many of them get a gradient.
  var trained: Int { gradients.count }

  /// All shares gathered.
  var gatheredBytes: Int { gathered.reduce(0, &+) }
  /// The buffer that shares are cast into ahead of the gather.
  var castBytes: Int { casts.reduce(0, &+) }

  /// Collects the parameters `leaves` of a program, cut over `shards` ranks.
  init(
    _ leaves: [Int], of program: Program, shards: Int, kernels: KernelTraits
  ) throws(PlanError) {
    self.leaves = leaves
    var chunks: [Int] = []
    for index in leaves {
      let leaf = program.leaves[index]
      let elements = try Self.shard(of: leaf, shards: shards)
      let share = try checkedProduct(elements, leaf.spec.dtype.size)
      chunks.append(share)
      gathered.append(try checkedProduct(share, shards))
      casts.append(leaf.stored == leaf.spec.dtype ? 0 : share)
      shares.append(try checkedProduct(elements, leaf.stored.size))
      guard leaf.trainable else { continue }
      trainedElements += elements
      _ = try checkedProduct(elements, shards, 8)
      gradients.append(leaf.spec.elements)
      reducedBytes += elements &* leaf.stored.size
      storedFormat = leaf.stored
    }
    copyOutIndex = Self.copyOutIndex(chunks, shards: shards, kernels: kernels)
  }

  /// Elements of a rank's share: whole slices of the first dimension, rounded up.
  static func shard(of leaf: Program.Leaf, shards: Int) throws(PlanError) -> Int {
    let rows = max(leaf.leading, 1)
    return try checkedProduct((rows - 1) / shards + 1, leaf.spec.elements / rows)
  }

  /// What indexes the copy-in of the reduce-scatter: 6 numbers for each tensor, one for each block of 2,048 bytes.
  ///
  /// Source: `get_chunk_cat_metadata` in PyTorch's `aten/src/ATen/native/cuda/TensorShape.cu`.
  func copyInIndex(reduceFormat: DType, of program: Program, shards: Int) -> Int {
    var blocks = 0
    for index in leaves where program.leaves[index].trainable {
      let leaf = program.leaves[index]
      let rows = max(leaf.leading, 1)
      let elements = ((rows - 1) / shards + 1) * (leaf.spec.elements / rows)
      blocks += (elements &* reduceFormat.size - 1) / 2048 + 1
    }
    return 8 * (6 * trained + 2 + blocks)
  }

  /// What indexes the copy out of the gathered buffer: addresses and sizes of each piece, and of each block.
  ///
  /// Source: `split_with_sizes_copy_out_cuda_contiguous_no_cast` in the same file; 128 threads of 16 bytes a block.
  private static func copyOutIndex(_ chunks: [Int], shards: Int, kernels: KernelTraits) -> Int {
    func divided(_ a: Int, _ b: Int) -> Int { a <= 0 ? 0 : (a - 1) / b + 1 }
    let most = kernels.multiprocessors * kernels.threadsPerMultiprocessor / 128 * 2
    var blocks = chunks.reduce(0) { $0 &+ divided($1, 2048) }
    let factor = divided(blocks.multipliedReportingOverflow(by: shards).partialValue, max(most, 1))
    let perBlock = max(1, min(Int(Double(max(factor, 1)).squareRoot().rounded(.up)), shards))
    let iterations = max(1, divided(factor, perBlock))
    blocks = chunks.reduce(0) { $0 &+ divided($1, 2048 * iterations) }
    return 8 * (4 * chunks.count + 1 + blocks)
  }
}

/// The parameters of one wrapped unit, laid end to end in one tensor that is cut over ranks.
///
/// Original parameters are kept apart where they stay visible (`use_orig_params`): each then begins at a multiple of 16 bytes,
/// and zeros fill the tensor up to a multiple of the ranks.
///
/// A quantized weight lies there as its packed elements, in the model's format (`bnb_4bit_quant_storage`).
///
/// Source: `FlatParamHandle._init_flat_param_and_metadata` in `torch/distributed/fsdp/_flat_param.py`, PyTorch 2.11.
struct FlatParameter {
  /// The weights, as indices into ``Program/leaves``.
  let leaves: [Int]
  /// The format between steps.
  let stored: DType
  /// The format that it is gathered and computes in.
  let compute: DType
  /// Whether it gets a gradient.
  let isTrained: Bool
  /// Elements of the whole, with the zeros between parameters.
  private(set) var elements = 0
  /// Elements of one rank's share.
  private(set) var share = 0
  /// Elements of each run of zeros between parameters.
  private(set) var padding: [Int] = []
  /// Bytes beside the packed elements of quantized weights, which every rank keeps.
  private(set) var scales: [Int: [Int]] = [:]
  /// Elements of each weight that lie in the first rank's share.
  private(set) var portions: [Int] = []

  /// Whether the share is cast ahead of the gather.
  var isCast: Bool { stored != compute }
  /// The gathered tensor: the share of every rank.
  func gatheredBytes(_ shards: Int) -> Int { share &* shards &* compute.size }

  /// Lays out the weights `leaves` of a program for `ranks` ranks, among `shards` of which they are cut.
  init?(_ leaves: [Int], of program: Program, ranks: Int, shards: Int, isAligned: Bool)
    throws(PlanError)
  {
    guard let first = leaves.first else { return nil }
    self.leaves = leaves
    stored = program.leaves[first].stored
    compute = program.leaves[first].spec.dtype
    isTrained = leaves.contains { program.leaves[$0].trainable }
    let aligned = max(1, 16 / compute.size)
    var starts: [Int] = []
    var counts: [Int] = []
    for index in leaves {
      let leaf = program.leaves[index]
      try Self.check(leaf, beside: program.leaves[first])
      if isAligned, elements % aligned != 0 {
        padding.append(aligned - elements % aligned)
        elements += aligned - elements % aligned
      }
      starts.append(elements)
      var own = leaf.spec.elements
      if !leaf.loading.isEmpty, let packed = leaf.tensors.first {
        own = (packed - 1) / stored.size + 1
        scales[index] = Array(leaf.tensors.dropFirst())
      }
      counts.append(own)
      let (sum, overflow) = elements.addingReportingOverflow(own)
      guard !overflow, sum <= TensorSpec.limit / 16 else {
        throw .overflow("elements", "the sum of a unit's parameters")
      }
      elements = sum
    }
    if isAligned, elements % ranks != 0 {
      padding.append(ranks - elements % ranks)
      elements += ranks - elements % ranks
    }
    share = (elements - 1) / shards + 1
    _ = try checkedProduct(share, shards, 16)
    portions = zip(counts, starts).map { count, start in max(0, min(count, share - start)) }
  }

  /// Refuses what one flat tensor cannot hold.
  private static func check(_ leaf: Program.Leaf, beside first: Program.Leaf) throws(PlanError) {
    guard leaf.stored == first.stored, leaf.spec.dtype == first.spec.dtype else {
      throw PlanError(
        .conflict,
        "a flat parameter has one number format: \(first.name) is \(first.stored), \(leaf.name) \(leaf.stored)",
        path: "strategies.fsdp.version",
        fix: "Give all weights of a layer one format, or use fsdp version 2, which cuts each alone."
      )
    }
    guard leaf.trainable == first.trainable else {
      throw PlanError(
        .conflict,
        "\(first.name) and \(leaf.name) would share a flat parameter, but only one is trained: FSDP then makes gradients for both",
        path: "strategies.fsdp.version",
        fix: "Use fsdp version 2, which cuts each parameter alone.")
    }
  }
}

/// Micro-batches from both ends of the pipeline at once: every rank has two parts, and the model is there twice.
///
/// Source: DeepSeek-AI 2024, arXiv:2412.19437; `DualPipe.step` in `dualpipe/dualpipe.py` of deepseek-ai/DualPipe.
struct DualPipe: PipelineSchedule {
  static let name = "dualpipe"
  static let summary = "Micro-batches from both ends, with two copies of the weights (DeepSeek-V3)."
  static let chunks: Int? = 2
  static let placement = PipelinePlacement.bothWays
  static let splitsBackward = true
  static let isRuntime = true

  private let shape: PipelineShape

  init(_ shape: PipelineShape) throws(PlanError) {
    self.shape = shape
    guard shape.degree % 2 == 0 else {
      throw .schedule(
        "DualPipe needs an even number of ranks, not \(shape.degree)", "Use an even degree.",
        key: "degree")
    }
    guard shape.microBatches % 2 == 0, shape.microBatches >= 2 * shape.degree else {
      throw .schedule(
        "DualPipe needs an even number of micro-batches, \(2 * shape.degree) at least, not "
          + "\(shape.microBatches)",
        "Use \(2 * shape.degree) or more accumulation steps, or another schedule.")
    }
  }

  func order(_ rank: Int) -> PipelineOrder {
    let half = shape.degree / 2
    let folded = min(rank, shape.degree - 1 - rank)
    let order = DualOrder.order(folded, of: half, microBatches: shape.microBatches / 2)
    return order
  }
}

/// DualPipe without the second copy of the weights: each rank has one part on the way down and one on the way up.
///
/// Source: `ScheduleDualPipeV` in `torch/distributed/pipelining/schedules.py`, PyTorch 2.11.
struct DualPipeV: PipelineSchedule {
  static let name = "dualpipe-v"
  static let summary = "DualPipe over one copy of the weights, down the ranks and up again."
  static let chunks: Int? = 2
  static let placement = PipelinePlacement.v
  static let splitsBackward = true
  static let isRuntime = true

  private let shape: PipelineShape

  init(_ shape: PipelineShape) throws(PlanError) {
    self.shape = shape
    guard shape.microBatches >= 2 * shape.degree else {
      throw .schedule(
        "DualPipeV needs as many micro-batches as stages, \(2 * shape.degree), not "
          + "\(shape.microBatches)",
        "Use \(2 * shape.degree) or more accumulation steps, or another schedule.")
    }
  }

  func order(_ rank: Int) -> PipelineOrder {
    DualOrder.order(rank, of: shape.degree, microBatches: shape.microBatches)
  }
}

/// What both do: the two parts of a rank in turn, one forward while the other runs backward.
private enum DualOrder {
  static func order(_ rank: Int, of ranks: Int, microBatches: Int) -> PipelineOrder {
    PipelineOrder(microBatches, period: 1, least: 3 * ranks + 1) { list(rank, of: ranks, $0) }
  }

  private static func list(_ rank: Int, of ranks: Int, _ microBatches: Int) -> [PipelineAction] {
    var actions: [PipelineAction] = []
    var waiting: [Int] = []
    func run(_ kind: PipelineAction.Kind, _ chunk: Int) {
      actions.append(PipelineAction(kind: kind, chunk: chunk))
      if kind == .inputBackward { waiting.append(chunk) }
    }
    func weight() {
      if !waiting.isEmpty { run(.weightBackward, waiting.removeFirst()) }
    }
    let after = ranks - rank - 1
    for _ in 0..<2 * after { run(.forward, 0) }
    for _ in 0...rank {
      run(.forward, 0)
      run(.forward, 1)
    }
    for _ in 0..<after {
      run(.inputBackward, 1)
      weight()
      run(.forward, 1)
    }
    for _ in 0..<microBatches - 2 * ranks + rank + 1 {
      run(.forward, 0)
      run(.backward, 1)
      run(.forward, 1)
      run(.backward, 0)
    }
    for _ in 0..<after {
      run(.backward, 1)
      run(.forward, 1)
      run(.backward, 0)
    }
    var splits = false
    for step in 0...rank {
      if step == (rank + 1) / 2, rank % 2 == 1 { splits = true }
      run(splits ? .inputBackward : .backward, 1)
      if step == (rank + 1) / 2, rank % 2 == 0 { splits = true }
      run(splits ? .inputBackward : .backward, 0)
    }
    for _ in 0..<after {
      weight()
      run(splits ? .inputBackward : .backward, 0)
    }
    for _ in 0...rank { weight() }
    return actions
  }
}

/// Gradients of weights fill the bubble, with the memory of 1F1B: ZB-H1, also called ZB1P.
///
/// Source: Qi et al. 2023, arXiv:2401.10241; `ScheduleInterleavedZeroBubble` in
/// `torch/distributed/pipelining/schedules.py`, PyTorch 2.11.
struct ZeroBubbleH1: PipelineSchedule {
  static let name = "zb-h1"
  static let summary =
    "Zero-bubble with the memory of 1F1B (ZB1P): gradients of weights fill the bubble."
  static let chunks: Int? = nil
  static let splitsBackward = true
  static let isRuntime = true

  private let rounds: InterleavedRounds

  init(_ shape: PipelineShape) throws(PlanError) { rounds = try InterleavedRounds(shape) }

  func order(_ rank: Int) -> PipelineOrder { rounds.order(rank, hops: 1, delay: rank) }
}

/// Two parts of the model on each rank, down the ranks and up again, without a bubble where all passes take as long.
///
/// Source: Qi et al. 2024, arXiv:2405.15362; `ScheduleZBVZeroBubble` in
/// `torch/distributed/pipelining/schedules.py`, PyTorch 2.11.
struct ZeroBubbleV: PipelineSchedule {
  static let name = "zbv"
  static let summary =
    "Zero-bubble over two parts on each rank, down the ranks and up again (ZB-V)."
  static let chunks: Int? = 2
  static let placement = PipelinePlacement.v
  static let splitsBackward = true
  static let isRuntime = true

  private let shape: PipelineShape

  init(_ shape: PipelineShape) { self.shape = shape }

  func order(_ rank: Int) -> PipelineOrder {
    // A list is made for 2p - 1 micro-batches at least; what is too much is left out of it.
    PipelineOrder(shape.microBatches, period: 1, least: 4 * shape.degree) {
      list(rank, $0)
    }
  }

  private func list(_ rank: Int, _ microBatches: Int) -> [PipelineAction] {
    let (degree, all) = (shape.degree, max(2 * shape.degree - 1, microBatches))
    var actions: [PipelineAction] = []
    var done: [PipelineAction: Int] = [:]
    func run(_ kind: PipelineAction.Kind, _ chunk: Int) {
      let action = PipelineAction(kind: kind, chunk: chunk)
      let count = done[action, default: 0]
      if count < microBatches { actions.append(action) }
      done[action] = count + 1
    }
    func count(_ kind: PipelineAction.Kind, _ chunk: Int) -> Int {
      done[PipelineAction(kind: kind, chunk: chunk)] ?? 0
    }
    func both(_ chunk: Int) {
      run(.inputBackward, chunk)
      run(.weightBackward, chunk)
    }
    for _ in 0..<2 * (degree - rank) - 1 { run(.forward, 0) }
    for _ in 0..<rank {
      run(.forward, 1)
      run(.forward, 0)
    }
    for _ in 0..<degree - rank {
      run(.forward, 1)
      both(1)
    }
    while count(.forward, 1) < count(.forward, 0) || count(.forward, 0) < all {
      if count(.forward, 0) < all { run(.forward, 0) }
      both(0)
      run(.forward, 1)
      both(1)
    }
    for _ in 0..<rank {
      run(.inputBackward, 0)
      run(.inputBackward, 1)
    }
    for _ in 0..<degree - rank { both(0) }
    for chunk in [1, 0] {
      while count(.weightBackward, chunk) < count(.inputBackward, chunk) {
        run(.weightBackward, chunk)
      }
    }
    return actions
  }
}

/// Forward passes before the first backward fill the bubble too, with the memory of 2p - 1 micro-batches: ZB-H2.
///
/// Rank r runs 2(p - r) - 1 forward passes ahead of its first backward, and gradients of weights wait for 2r
/// backward passes. Nothing waits where all passes take as long and the optimizer of a rank does not wait for the others'
/// (the paper's post-validation). Also called ZB2P; torch has no class for it, and runs its list of actions.
///
/// Source: Qi et al. 2023, arXiv:2401.10241, sections 2.2 and 2.3: (2p - 2i + 1) M_B + (2i - 2) M_W on stage i = r + 1.
struct ZeroBubbleH2: PipelineSchedule {
  static let name = "zb-h2"
  static let summary =
    "Zero-bubble with the memory of 2p - 1 micro-batches on every rank (ZB2P)."
  static let splitsBackward = true
  static let isRuntime = true

  private let shape: PipelineShape

  init(_ shape: PipelineShape) { self.shape = shape }

  func order(_ rank: Int) -> PipelineOrder {
    PipelineOrder(shape.microBatches, period: 1, least: 4 * shape.degree) { list(rank, $0) }
  }

  private func list(_ rank: Int, _ microBatches: Int) -> [PipelineAction] {
    let ahead = min(microBatches, 2 * (shape.degree - rank - 1))
    let delay = min(microBatches, 2 * rank)
    var actions: [PipelineAction] = []
    func run(_ kind: PipelineAction.Kind) { actions.append(PipelineAction(kind: kind)) }
    for pass in 0..<microBatches + ahead {
      if pass < microBatches { run(.forward) }
      guard pass >= ahead else { continue }
      run(.inputBackward)
      if pass - ahead >= delay { run(.weightBackward) }
    }
    for _ in 0..<delay { run(.weightBackward) }
    return actions
  }
}

/// One forward, one backward: rank r of p has at most p - r micro-batches in flight.
///
/// Source: Narayanan et al. 2021, arXiv:2104.04473; `Schedule1F1B` in `torch/distributed/pipelining/schedules.py`.
struct OneForwardOneBackward: PipelineSchedule {
  static let name = "1f1b"
  static let summary = "One forward, one backward in turn, p - r micro-batches in flight."

  private let shape: PipelineShape

  init(_ shape: PipelineShape) { self.shape = shape }

  func order(_ rank: Int) -> PipelineOrder {
    let (forward, backward) = (PipelineAction(kind: .forward), PipelineAction(kind: .backward))
    let ahead = min(shape.microBatches, shape.degree - rank) - 1
    var order = PipelineOrder()
    order.add([forward], ahead)
    order.add([forward, backward], shape.microBatches - ahead)
    order.add([backward], ahead)
    return order
  }
}

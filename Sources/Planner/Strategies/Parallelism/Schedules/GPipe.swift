/// All micro-batches forward, then all backward.
///
/// Source: Huang et al. 2019, arXiv:1811.06965; `ScheduleGPipe` in `torch/distributed/pipelining/schedules.py`.
struct GPipe: PipelineSchedule {
  static let name = "gpipe"
  static let summary = "All micro-batches forward, then all backward."

  private let shape: PipelineShape

  init(_ shape: PipelineShape) { self.shape = shape }

  func order(_ rank: Int) -> PipelineOrder {
    var order = PipelineOrder()
    order.add([PipelineAction(kind: .forward)], shape.microBatches)
    order.add([PipelineAction(kind: .backward)], shape.microBatches)
    return order
  }
}

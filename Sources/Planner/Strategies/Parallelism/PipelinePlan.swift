/// How a model is cut into the stages of a pipeline, and in which order they run.
struct PipelinePlan: Sendable {
  /// The ranks, parts on each, and micro-batches.
  var shape: PipelineShape
  /// Who runs what when.
  var schedule: any PipelineSchedule
  /// How the layers are shared out.
  var split: LayerSplit
  /// How tensors are handed over; a framework of its own sets its own.
  var transport: PipelineTransport

  /// Every rank of a model of so many layers.
  func stages(layers: Int) throws(PlanError) -> [PipelineStage] {
    let parts = try split.parts(layers: layers, stages: stagesOfModel)
    return (0..<shape.degree).map { rank in
      PipelineStage(
        rank: rank, chunks: chunks(of: rank, parts),
        order: schedule.order(rank))
    }
  }

  private var placement: PipelinePlacement { type(of: schedule).placement }

  /// How many parts the model is cut into.
  var stagesOfModel: Int {
    placement == .bothWays ? shape.degree : shape.degree * shape.chunks
  }

  private func chunks(of rank: Int, _ parts: [ModelPart]) -> [PipelineStage.Chunk] {
    let last = parts.count - 1
    switch placement {
    case .loop:
      let alone = shape.degree == 1
      return stride(from: rank, to: parts.count, by: shape.degree).map {
        PipelineStage.Chunk(
          part: parts[$0], receivesLocally: alone && $0 > 0, sendsLocally: alone && $0 < last)
      }
    case .v:
      let turns = rank == shape.degree - 1
      return [
        PipelineStage.Chunk(part: parts[rank], sendsLocally: turns),
        PipelineStage.Chunk(part: parts[last - rank], receivesLocally: turns),
      ]
    case .bothWays:
      // What is nearer to where its micro-batches come in is first.
      return [min(rank, last - rank), max(rank, last - rank)].map {
        PipelineStage.Chunk(part: parts[$0])
      }
    }
  }
}

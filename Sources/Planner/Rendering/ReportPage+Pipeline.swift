extension ReportPage {
  /// The ranks of a pipeline: which binds, what the others need, how long they wait.
  var pipelineFacts: [String] {
    guard let pipeline = report.pipeline else { return [] }
    let bubble = Decimal.text(100 * pipeline.bubble, digits: 1)
    let all = pipeline.stages.flatMap(\.ranks).count
    let least = pipeline.stages.map(\.live).min() ?? .zero
    let flight =
      pipeline.stages.first { $0.ranks.contains(pipeline.binding) }.map { "\($0.inFlight)" } ?? "?"
    let text =
      "\(pipeline.schedule) over \(all) ranks, \(pipeline.microBatches) micro-batches; rank "
      + "\(pipeline.binding) needs most, with \(flight) passes in flight; the least has "
      + "\(scale.text(least)) live; \(bubble) % of \(TextLayout.duration(pipeline.seconds)) is bubble"
    return TextLayout.wrap(text, TextLayout.width - 13).enumerated().map {
      fact($0 == 0 ? "pipeline" : "", $1)
    }
  }
}

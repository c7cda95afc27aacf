extension JSONRenderer {
  /// `pipeline`: the ranks that differ, and how long they wait.
  static func value(of pipeline: PipelineUse) -> JSONValue {
    let stages = pipeline.stages.map { stage -> JSONValue in
      let parts = stage.parts.map { part -> JSONValue in
        [
          "first_layer": .integer(part.layers.lowerBound), "layers": .integer(part.layers.count),
          "embedding": .bool(part.hasEmbedding), "head": .bool(part.hasHead),
        ]
      }
      return [
        "rank": .integer(stage.ranks.first ?? 0),
        "ranks": .array(stage.ranks.map { .integer($0) }),
        "layers": .integer(stage.layers), "parts": .array(parts),
        "in_flight": .integer(stage.inFlight), "live_bytes": .integer(stage.live.count),
        "phases": .object(
          zip(Phase.allCases, stage.phases).map {
            .init($0.key, ["live_bytes": .integer($1.count)])
          }),
        "reserved_bytes": stage.reserved.map { .integer($0.count) } ?? .null,
        "device_bytes": stage.device.map { .integer($0.count) } ?? .null,
      ]
    }
    return [
      "schedule": .string(pipeline.schedule),
      "micro_batches": .integer(pipeline.microBatches),
      "binding_rank": .integer(pipeline.binding),
      "bubble_fraction": .number(pipeline.bubble), "seconds": .number(pipeline.seconds.value),
      "stages": .array(stages),
    ]
  }
}

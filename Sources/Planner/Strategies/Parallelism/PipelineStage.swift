/// What one rank of a pipeline has and does.
struct PipelineStage: Hashable, Sendable {
  /// Its place, from 0.
  var rank: Int
  /// The parts of the model that it runs, in the order of the model; more than one where stages are interleaved.
  var chunks: [Chunk]
  /// The passes of one step.
  var order: PipelineOrder

  /// A part of the model, and where its neighbours are.
  struct Chunk: Hashable, Sendable {
    var part: ModelPart
    /// Whether the part before it is on this rank too, so that nothing is sent.
    var receivesLocally = false
    /// Whether the part behind it is on this rank too.
    var sendsLocally = false
  }

  /// How many layers it has.
  var layers: Int { chunks.reduce(0) { $0 + $1.part.layers.count } }
}

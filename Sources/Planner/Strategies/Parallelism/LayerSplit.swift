/// How the layers of a model are shared among the stages of a pipeline.
struct LayerSplit: Hashable, Sendable {
  /// What is read of it among the settings of a pipeline.
  static let keys = [
    SettingKey(
      "layers", .integers(0...1_000_000), otherwise: "equal shares",
      "layers of each stage, virtual ones included, in the model's order"),
    SettingKey(
      "layers",
      .object([
        SettingKey("first", .integer(0...1_000_000), otherwise: "its share", "of the first stage"),
        SettingKey("last", .integer(0...1_000_000), otherwise: "its share", "of the last stage"),
      ]), otherwise: "equal shares", "layers of the ends; the other stages share the rest"),
    SettingKey(
      "account_for_embedding", .truth, default: false, "the embedding counts as a layer"),
    SettingKey("account_for_loss", .truth, default: false, "head and loss count as a layer"),
  ]

  /// Layers of every stage, or `nil` to share them out.
  var layers: [Int]?
  /// Layers of the first stage, where only the others share.
  var first: Int?
  /// Layers of the last stage, where only the others share.
  var last: Int?
  /// Whether the embedding takes a layer's place on the first stage.
  var countsEmbedding = false
  /// Whether the head and the loss take a layer's place on the last stage.
  var countsHead = false

  /// The parts of a model of `layers` layers, in its order.
  ///
  /// Layers that are left over go to the first stages, as in torchtitan.
  ///
  /// Source: `generate_llm_fqn_per_model_part` in torchtitan's `torchtitan/distributed/pipeline_parallel.py`;
  /// `account_for_embedding_in_pipeline_split`, `num_layers_in_first_pipeline_stage` in Megatron Core's
  /// `transformer_config.py`.
  func parts(layers count: Int, stages: Int) throws(PlanError) -> [ModelPart] {
    var start = 0
    return try counts(count, stages).enumerated().map { index, layers in
      defer { start += layers }
      return ModelPart(
        layers: start..<start + layers, hasEmbedding: index == 0, hasHead: index == stages - 1)
    }
  }

  private func counts(_ layers: Int, _ stages: Int) throws(PlanError) -> [Int] {
    let path = "strategies.pipeline_parallel"
    if let list = self.layers {
      guard list.count == stages else {
        throw PlanError(
          .invalid, "the list is of length \(list.count), for \(stages) stages",
          path: path + ".layers", fix: "Write one number for each stage, in the model's order.")
      }
      guard list.reduce(0, +) == layers else {
        throw PlanError(
          .invalid, "the stages have \(list.reduce(0, +)) layers, the model has \(layers)",
          path: path + ".layers", fix: "Write numbers that add up to \(layers).")
      }
      return list
    }
    var shared = layers + (countsEmbedding ? 1 : 0) + (countsHead ? 1 : 0)
    var among = Array(0..<stages)
    if let first {
      shared -= first + (countsEmbedding ? 1 : 0)
      among.removeFirst()
    }
    if let last, among.count > 0 {
      shared -= last + (countsHead ? 1 : 0)
      among.removeLast()
    }
    guard shared >= among.count, !among.isEmpty || shared == 0 else {
      throw PlanError(
        .invalid, "\(layers) layers are not enough for \(stages) stages", path: path + ".degree",
        fix: "Use at most \(max(1, layers)) stages in all, virtual ones included.")
    }
    var counts = Array(repeating: 0, count: stages)
    for (position, stage) in among.enumerated() {
      let (whole, rest) = shared.quotientAndRemainder(dividingBy: among.count)
      counts[stage] = whole + (position < rest ? 1 : 0)
    }
    if let first { counts[0] = first } else if countsEmbedding { counts[0] -= 1 }
    if let last { counts[stages - 1] = last } else if countsHead { counts[stages - 1] -= 1 }
    return counts
  }
}

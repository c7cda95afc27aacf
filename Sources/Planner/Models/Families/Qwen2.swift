/// Qwen2: Llama's layers with biases on the q, k and v projections.
///
/// Source: `modeling_qwen2.py` and `configuration_qwen2.py`, transformers 5.17.
struct Qwen2: ModelFamily {
  static let modelType = "qwen2"
  private var lineage: Llama

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try Llama(
      &config, .init(vocabulary: 151_936, intermediate: 22_016, keyHeads: 32))
    lineage.inputBias = true
    if try config.bool("use_sliding_window", default: false) {
      throw PlanError(
        .unsupported, "sliding windows in some layers of qwen2 are not planned",
        path: config.place("use_sliding_window"),
        fix: "Set it to false; published Qwen2 and Qwen2.5 checkpoints do.")
    }
  }

  var linearModules: [String] { lineage.linearModules }
  var megatron: MegatronSizes? { lineage.megatron }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.tiesHead }
  var sharesSequences: Bool { lineage.sharesSequences }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

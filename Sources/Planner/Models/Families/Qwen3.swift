/// Qwen3: Llama's layers with a norm over each query and key head.
///
/// Source: `modeling_qwen3.py` and `configuration_qwen3.py`, transformers 5.17.
struct Qwen3: ModelFamily {
  static let modelType = "qwen3"
  private var lineage: Llama

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try Llama(
      &config,
      .init(vocabulary: 151_936, intermediate: 22_016, keyHeads: 32, headWidth: 128))
    lineage.headNorms = true
    let bias = try config.bool("attention_bias", default: false)
    lineage.inputBias = bias
    lineage.outputBias = bias
    if try config.bool("use_sliding_window", default: false) {
      throw PlanError(
        .unsupported, "sliding windows in some layers of qwen3 are not planned",
        path: config.place("use_sliding_window"),
        fix: "Set it to false; published Qwen3 checkpoints do.")
    }
  }

  var linearModules: [String] { lineage.linearModules }
  var megatron: MegatronSizes? { lineage.megatron }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.tiesHead }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

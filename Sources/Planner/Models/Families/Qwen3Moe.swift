/// Qwen3 with experts: a mixture in most layers, and a norm over each query and key head.
///
/// Source: `modeling_qwen3_moe.py` and `configuration_qwen3_moe.py`, transformers 5.17.
struct Qwen3Moe: ModelFamily {
  static let modelType = "qwen3_moe"
  private var lineage: QwenMixture

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try QwenMixture(
      &config,
      .init(
        vocabulary: 151_936, hidden: 2048, intermediate: 6144, layers: 24, heads: 32, keyHeads: 4),
      experts: .init(count: 128, choices: 8, intermediate: 768))
    lineage.headNorms = true
    let bias = try config.bool("attention_bias", default: false)
    lineage.inputBias = bias
    lineage.outputBias = bias
  }

  var linearModules: [String] { lineage.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.sizes.tied }
  var routedExperts: RoutedExperts? { lineage.experts.routed }
  var assumptions: [Assumption] { [.uniformExperts] }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

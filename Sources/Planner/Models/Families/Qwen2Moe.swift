/// Qwen2 with experts: a mixture in most layers, beside an expert that every token goes to.
///
/// Source: `modeling_qwen2_moe.py` and `configuration_qwen2_moe.py`, transformers 5.17.
struct Qwen2Moe: ModelFamily {
  static let modelType = "qwen2_moe"
  private var lineage: QwenMixture

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try QwenMixture(
      &config,
      .init(
        vocabulary: 151_936, hidden: 2048, intermediate: 5632, layers: 24, heads: 16, keyHeads: 16),
      experts: .init(count: 60, choices: 4, intermediate: 1408))
    lineage.inputBias = try config.bool("qkv_bias", default: true)
    lineage.makesIdleMask = true
    lineage.sharedWidth = try config.integer(
      "shared_expert_intermediate_size", in: 1...10_000_000, default: 5632)
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

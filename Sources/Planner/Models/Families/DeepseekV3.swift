/// DeepSeek V3: latent attention, shared and routed experts, a router with corrected sigmoids.
///
/// The modules for predicting several tokens are not part of what `transformers` trains.
///
/// Source: `modeling_deepseek_v3.py` and `configuration_deepseek_v3.py`, transformers 5.17.
struct DeepseekV3: ModelFamily {
  static let modelType = "deepseek_v3"
  private var lineage: DeepSeekMixture

  init(_ config: inout Settings) throws(PlanError) {
    let interleaves = try config.bool("rope_interleave", default: true)
    lineage = try DeepSeekMixture(
      &config,
      .init(
        sizes: .init(
          vocabulary: 129_280, hidden: 7168, intermediate: 18_432, layers: 61, heads: 128),
        experts: .init(count: 256, choices: 8, intermediate: 2048), sharedExperts: 1,
        denseLayers: 3, choice: .greedy, rotation: interleaves ? .pairs : .halves))
    let groups = try GroupedRouter.Groups(&config, lineage.experts, default: (8, 4))
    lineage.choice = .biased(
      groups, normalizes: try config.bool("norm_topk_prob", default: true))
  }

  var linearModules: [String] { lineage.linearModules }
  var routedExperts: RoutedExperts? { lineage.experts.routed }
  var assumptions: [Assumption] { [.uniformExperts] }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

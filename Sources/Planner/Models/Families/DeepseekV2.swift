/// DeepSeek V2: latent attention rotated as complex numbers, shared and routed experts.
///
/// Source: `modeling_deepseek_v2.py` and `configuration_deepseek_v2.py`, transformers 5.17.
struct DeepseekV2: ModelFamily {
  static let modelType = "deepseek_v2"
  private var lineage: DeepSeekMixture

  /// `topk_method`.
  private enum Method: String, CaseIterable {
    case greedy
    case grouped = "group_limited_greedy"
  }

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try DeepSeekMixture(
      &config,
      .init(
        sizes: .init(vocabulary: 102_400),
        experts: .init(count: 64, choices: 6, intermediate: 1407),
        sharedExperts: 2, denseLayers: 0, choice: .greedy, rotation: .complex))
    if try config.choice("topk_method", default: Method.greedy) == .grouped {
      lineage.choice = .groups(
        try GroupedRouter.Groups(&config, lineage.experts, default: nil))
    }
    lineage.mlpBias = try config.bool("mlp_bias", default: false)
  }

  var linearModules: [String] { lineage.linearModules }
  var routedExperts: RoutedExperts? { lineage.experts.routed }
  var assumptions: [Assumption] { [.uniformExperts] }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

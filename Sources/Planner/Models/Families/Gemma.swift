/// Gemma: Llama's layers with a scaled embedding, GELU, and norms whose weights are offsets from one.
///
/// Source: `modeling_gemma.py` and `configuration_gemma.py`, transformers 5.17.
struct Gemma: ModelFamily {
  static let modelType = "gemma"
  private let lineage: GemmaLineage

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try GemmaLineage(
      &config,
      .init(
        vocabulary: 256_000, hidden: 3072, intermediate: 24_576, layers: 28, heads: 16,
        keyHeads: 16, headWidth: 256, tied: true),
      activationKey: "hidden_act")
  }

  var linearModules: [String] { Llama.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.sizes.tied }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

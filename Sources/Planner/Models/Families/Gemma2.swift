/// Gemma 2: four norms a layer, alternating sliding windows, soft-capped scores and logits.
///
/// Source: `modeling_gemma2.py` and `configuration_gemma2.py`, transformers 5.17.
struct Gemma2: ModelFamily {
  static let modelType = "gemma2"
  private let lineage: GemmaLineage

  init(_ config: inout Settings) throws(PlanError) {
    var lineage = try GemmaLineage(
      &config,
      .init(
        vocabulary: 256_000, hidden: 2304, intermediate: 9216, layers: 26, heads: 8, keyHeads: 4,
        headWidth: 256, tied: true),
      activationKey: "hidden_activation")
    lineage.hasFourNorms = true
    try lineage.readLayerTypes(&config, fullEvery: 2)
    try lineage.readCaps(&config, scores: true, logits: true)
    self.lineage = lineage
  }

  var linearModules: [String] { Llama.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.sizes.tied }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

/// Gemma 3's text model: Gemma 2's layers with norms over each query and key head, five sliding to one full.
///
/// Sliding layers have rotary tables of their own. Attention scores are not capped: the model does not pass the
/// cap on to attention.
///
/// Source: `modeling_gemma3.py` and `configuration_gemma3.py`, transformers 5.17.
struct Gemma3Text: ModelFamily {
  static let modelType = "gemma3_text"
  private let lineage: GemmaLineage

  init(_ config: inout Settings) throws(PlanError) {
    var lineage = try GemmaLineage(
      &config,
      .init(
        vocabulary: 262_208, hidden: 2304, intermediate: 9216, layers: 26, heads: 8, keyHeads: 4,
        headWidth: 256, tied: true),
      activationKey: "hidden_activation")
    lineage.hasFourNorms = true
    lineage.hasHeadNorms = true
    let every = try config.integer("sliding_window_pattern", in: 1...100_000, default: 6)
    try lineage.readLayerTypes(&config, fullEvery: every)
    try lineage.readCaps(&config, scores: false, logits: false)
    self.lineage = lineage
  }

  var linearModules: [String] { Llama.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { lineage.sizes.tied }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

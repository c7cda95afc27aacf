/// Mistral: Llama's layers with a sliding window.
///
/// Source: `modeling_mistral.py` and `configuration_mistral.py`, transformers 5.17.
struct Mistral: ModelFamily {
  static let modelType = "mistral"
  private var lineage: Llama

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try Llama(&config, .init(intermediate: 14_336, keyHeads: 8))
    lineage.window =
      config.has("sliding_window")
      ? try config.optionalInteger("sliding_window", in: 1...1_000_000_000) : 4096
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

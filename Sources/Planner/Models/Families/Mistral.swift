/// Mistral: Llama's layers with a sliding window.
///
/// Source: `modeling_mistral.py` and `configuration_mistral.py`, transformers 5.17.
public struct Mistral: ModelFamily {
  public static let modelType = "mistral"
  private var lineage: Llama

  public init(_ config: inout Settings) throws(PlanError) {
    lineage = try Llama(&config, .init(intermediate: 14_336, keyHeads: 8))
    lineage.window =
      config.has("sliding_window")
      ? try config.optionalInteger("sliding_window", in: 1...1_000_000_000) : 4096
  }

  public var linearModules: [String] { lineage.linearModules }
  public func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

/// BERT with its masked-language head: attention in both directions, post-norm layers, segments.
///
/// Source: `modeling_bert.py` and `configuration_bert.py`, transformers 5.17.
struct Bert: ModelFamily {
  static let modelType = "bert"
  private let lineage: BertLineage

  init(_ config: inout Settings) throws(PlanError) {
    lineage = try BertLineage(&config, vocabulary: 30_522)
  }

  var linearModules: [String] { BertLineage.linearModules }
  var assumptions: [Assumption] { [BertLineage.headAssumption] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

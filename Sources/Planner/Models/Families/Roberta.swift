/// RoBERTa with its masked-language head: BERT whose positions are counted from the tokens that are not padding.
///
/// Source: `modeling_roberta.py` and `configuration_roberta.py`, transformers 5.17.
struct Roberta: ModelFamily {
  static let modelType = "roberta"
  private let lineage: BertLineage

  init(_ config: inout Settings) throws(PlanError) {
    var lineage = try BertLineage(&config, vocabulary: 50_265)
    lineage.firstPosition =
      try config.integer("pad_token_id", in: 0...10_000_000, default: 1) + 1
    self.lineage = lineage
  }

  var linearModules: [String] { BertLineage.linearModules }
  var assumptions: [Assumption] { [BertLineage.headAssumption] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try lineage.graph(context)
  }
}

/// Gemma 3 with its vision tower: the text model alone is planned, from the config's `text_config`.
///
/// Source: `modeling_gemma3.py` and `configuration_gemma3.py`, transformers 5.17.
struct Gemma3: ModelFamily {
  static let modelType = "gemma3"
  private let text: Gemma3Text

  init(_ config: inout Settings) throws(PlanError) {
    guard var nested = try config.object("text_config") else {
      throw PlanError(
        .invalid, "\"text_config\" is missing", path: config.place("text_config"),
        fix: "Add it, or write the text model's keys with \"model_type\": \"gemma3_text\".")
    }
    text = try Gemma3Text(&nested)
  }

  var linearModules: [String] { text.linearModules }
  var cutsMatrices: Bool { true }
  var tiesHead: Bool { text.tiesHead }

  var assumptions: [Assumption] {
    [
      Assumption(
        "text_model_alone",
        "The text model is trained on text alone; its vision tower and projector are not counted.",
        source: "text_config")
    ]
  }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    try text.graph(context)
  }
}

/// Names from the frameworks that stand for real things which this version cannot plan.
///
/// They get an answer of their own: whoever writes `fsdp` has not made a typing mistake. A line moves out of here
/// when the thing arrives in its registry.
enum Later {
  static let strategies = [
    "offload", "offload_param", "offload_parameters",
  ]
  static let optimizers = [
    "adagrad", "adam-8bit", "rmsprop",
  ]
  static let precisions = ["fp8-true", "transformer-engine"]
  static let attentions = ["flash_attention_3", "flash_attention_4", "flex_attention"]

  /// Throws when `name` is one of `names`.
  static func refuse(_ name: String, in names: [String], path: String, instead: String)
    throws(PlanError)
  {
    guard names.contains(name) else { return }
    throw PlanError(.unsupported, "\"\(name)\" cannot be planned yet", path: path, fix: instead)
  }
}

/// The sizes that every decoder with rotary attention and grouped heads reads from its config.
struct DecoderSizes: Sendable {
  var vocabulary: Int
  var hidden: Int
  var intermediate: Int
  var layers: Int
  var heads: Int
  var keyHeads: Int
  var headWidth: Int
  /// Whether the head's weight is the embedding's.
  var tied: Bool
  /// Whether attention weights are dropped out in training.
  var dropsAttention: Bool

  /// What a config that leaves a key out means.
  struct Defaults {
    var vocabulary = 32_000
    var hidden = 4096
    var intermediate = 11_008
    var layers = 32
    var heads = 32
    /// `nil`: as many as query heads.
    var keyHeads: Int?
    /// `nil`: hidden ÷ heads.
    var headWidth: Int?
    var tied = false
  }

  /// Reads the keys of `transformers`; throws where the heads do not divide.
  init(_ config: inout Settings, _ defaults: Defaults) throws(PlanError) {
    vocabulary = try config.integer("vocab_size", in: 1...10_000_000, default: defaults.vocabulary)
    hidden = try config.integer("hidden_size", in: 1...1_000_000, default: defaults.hidden)
    intermediate = try config.integer(
      "intermediate_size", in: 1...10_000_000, default: defaults.intermediate)
    layers = try config.integer("num_hidden_layers", in: 1...100_000, default: defaults.layers)
    heads = try config.integer("num_attention_heads", in: 1...100_000, default: defaults.heads)
    keyHeads =
      try config.optionalInteger("num_key_value_heads", in: 1...100_000)
      ?? defaults.keyHeads ?? heads
    let explicit = try config.optionalInteger("head_dim", in: 2...100_000) ?? defaults.headWidth
    if explicit == nil, hidden % heads != 0 {
      throw PlanError(
        .invalid, "\(heads) attention heads do not divide a hidden size of \(hidden)",
        path: config.place("num_attention_heads"),
        fix: "Choose a number of heads that divides hidden_size, or give head_dim.")
    }
    headWidth = explicit ?? hidden / heads
    guard heads % keyHeads == 0 else {
      throw PlanError(
        .invalid, "\(keyHeads) key/value heads do not divide \(heads) attention heads",
        path: config.place("num_key_value_heads"),
        fix: "Choose a number that divides num_attention_heads.")
    }
    guard headWidth % 2 == 0 else {
      throw PlanError(
        .invalid, "rotary embeddings need an even head size, found \(headWidth)",
        path: config.place("head_dim"), fix: "Choose an even head_dim.")
    }
    tied = try config.bool("tie_word_embeddings", default: defaults.tied)
    dropsAttention = try config.drops("attention_dropout", default: 0)
  }

  /// What one device has where several cut the matrices: some of the heads and of the MLP's columns.
  ///
  /// DTensor cuts a matrix into equal parts, and a device views its part as whole heads.
  func cut(by mesh: Mesh) throws(PlanError) -> DecoderSizes {
    guard mesh.tensor > 1 else { return self }
    if tied, mesh.cutsSequence {
      throw PlanError(
        .unsupported,
        "sequence parallelism with a head that is the embedding cannot be planned yet",
        path: "strategies.sequence_parallel",
        fix: "Use a model with \"tie_word_embeddings\": false, or leave it out.")
    }
    if !mesh.keepsLogitsCut, vocabulary % mesh.tensor != 0 {
      throw PlanError(
        .invalid,
        "logits of \(vocabulary) tokens cannot be gathered from \(mesh.tensor) equal parts",
        path: "strategies.tensor_parallel.degree",
        fix:
          "Choose a degree that divides \(vocabulary), or \"sequence_parallel\" with its loss_parallel."
      )
    }
    var part = self
    part.heads = try mesh.part(of: heads, "attention heads")
    part.keyHeads = try mesh.part(of: keyHeads, "key/value heads")
    part.intermediate = try mesh.part(of: intermediate, "columns of the MLP")
    return part
  }

  /// As ``cut(by:)`` for families of which only `transformers`' `tp_plan` was measured.
  func cutByPlan(_ mesh: Mesh) throws(PlanError) -> DecoderSizes {
    try mesh.checkPlan(vocabulary: vocabulary)
    return try cut(by: mesh)
  }
}

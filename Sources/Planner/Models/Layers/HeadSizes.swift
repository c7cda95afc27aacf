/// The hidden size, the layers and the attention heads of a config whose heads divide its hidden size.
struct HeadSizes: Sendable {
  let hidden: Int
  let layers: Int
  let heads: Int

  /// Elements of a head.
  var headWidth: Int { hidden / heads }

  /// What a config calls them; the names that `transformers` maps to all of them are read as well.
  struct Keys {
    var hidden = "hidden_size"
    var layers = "num_hidden_layers"
    var heads = "num_attention_heads"
  }

  /// What a config that leaves them out means.
  struct Defaults {
    var hidden: Int
    var layers: Int
    var heads: Int
  }

  /// Reads them; throws where the heads do not divide the hidden size.
  init(
    _ config: inout Settings, _ keys: Keys = Keys(), default defaults: Defaults
  ) throws(PlanError) {
    hidden = try config.integer(
      keys.hidden, or: "hidden_size", in: 1...1_000_000, default: defaults.hidden)
    layers = try config.integer(
      keys.layers, or: "num_hidden_layers", in: 1...100_000, default: defaults.layers)
    heads = try config.integer(
      keys.heads, or: "num_attention_heads", in: 1...100_000, default: defaults.heads)
    guard hidden % heads == 0 else {
      throw PlanError(
        .invalid, "\(heads) attention heads do not divide a hidden size of \(hidden)",
        path: config.place(config.has(keys.heads) ? keys.heads : "num_attention_heads"),
        fix: "Choose a number of heads that divides \(keys.hidden).")
    }
  }

  /// The key and value heads; throws where they do not divide the query heads.
  func keyHeads(_ config: inout Settings, default: Int? = nil) throws(PlanError) -> Int {
    let keyHeads = try config.integer(
      "num_key_value_heads", in: 1...100_000, default: `default` ?? heads)
    guard heads % keyHeads == 0 else {
      throw PlanError(
        .invalid, "\(keyHeads) key/value heads do not divide \(heads) attention heads",
        path: config.place("num_key_value_heads"),
        fix: "Choose a number that divides num_attention_heads.")
    }
    return keyHeads
  }

  /// The elements of a head that rotate: a share of them, also read from `rope_parameters`.
  ///
  /// Throws where they are not an even number of at least 2.
  func rotated(_ config: inout Settings, _ key: String, default: Double) throws(PlanError) -> Int {
    var share = try config.optionalNumber(key, in: 0...1)
    if share == nil, var rope = try config.object("rope_parameters") {
      share = try rope.optionalNumber("partial_rotary_factor", in: 0...1)
    }
    let wanted = (Double(headWidth) * (share ?? `default`)).rounded(.towardZero)
    let width = Int(exactly: wanted) ?? 0
    guard width >= 2, width % 2 == 0 else {
      throw PlanError(
        .invalid,
        "\(share ?? `default`) of a head of \(headWidth) is not an even number of elements",
        path: config.place(key),
        fix: "Choose a share that leaves an even number of elements to rotate.")
    }
    return width
  }
}

extension Settings {
  /// A whole number that has two names.
  mutating func integer(
    _ key: String, or other: String, in range: ClosedRange<Int>, default: Int
  ) throws(PlanError) -> Int {
    if let number = try optionalInteger(key, in: range) { return number }
    return try integer(other, in: range, default: `default`)
  }

  /// Whether the probability at `key` is above 0: then a dropout runs and saves its mask.
  mutating func drops(_ key: String, default: Double) throws(PlanError) -> Bool {
    (try optionalNumber(key, in: 0...0.999) ?? `default`) > 0
  }

  /// Throws where the switch at `key` is on: `what` is not planned.
  mutating func refuse(_ key: String, _ what: String) throws(PlanError) {
    guard try bool(key, default: false) else { return }
    throw PlanError(
      .unsupported, "\(what) is not planned", path: place(key), fix: "Set it to false.")
  }
}

/// Positions that are rows of a learned table.
enum LearnedPositions {
  /// Throws where a sequence is longer than the table.
  static func check(_ sequence: Int, limit: Int) throws(PlanError) {
    guard sequence > limit else { return }
    throw PlanError(
      .invalid, "a sequence of \(sequence) tokens is longer than the model's \(limit) positions",
      path: "workload.sequence_length", fix: "Use at most \(limit) tokens.")
  }
}

extension Forward {
  /// Leaves an attention's frame: the result and, where they exist, the weights become names of the caller's frame.
  mutating func returned(_ result: Value, _ weights: Value?) -> Value {
    guard let weights else { return local(leave(result)) }
    let (result, kept) = leave(result, weights)
    _ = local(kept)
    return local(result)
  }
}

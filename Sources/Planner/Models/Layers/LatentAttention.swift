/// Multi-head latent attention: keys and values are expanded from one narrow vector for each token.
///
/// Source: `DeepseekV2Attention` and `DeepseekV3Attention`, `forward` and `expand_kv`, transformers 5.17.
struct LatentAttention: SelfAttention {
  private let queries: Queries
  private let compress: Linear
  private let norm: RMSNorm
  private let expand: Linear
  private let output: Linear
  private let sizes: LatentSizes
  private let attention: CausalAttention

  /// The projection of queries: at once, or by way of a narrow vector of their own.
  private enum Queries {
    case direct(Linear)
    case latent(Linear, RMSNorm, Linear)
  }

  /// Declares the weights.
  init(_ sizes: LatentSizes, in f: inout Forward) throws(PlanError) {
    self.sizes = sizes
    let (hidden, heads) = (sizes.hidden, sizes.heads)
    let width = try checkedProduct(heads, sizes.headWidth)
    if let rank = sizes.queryRank {
      let down = try f.linear(
        "q_a_proj", weight: "self_attn.q_a_proj.weight",
        bias: sizes.bias ? "self_attn.q_a_proj.bias" : nil, input: hidden, output: rank)
      let norm = try RMSNorm(
        "q_a_layernorm", weight: "self_attn.q_a_layernorm.weight", width: rank, in: &f)
      queries = .latent(
        down, norm,
        try f.linear("q_b_proj", weight: "self_attn.q_b_proj.weight", input: rank, output: width))
    } else {
      queries = .direct(
        try f.linear("q_proj", weight: "self_attn.q_proj.weight", input: hidden, output: width))
    }
    compress = try f.linear(
      "kv_a_proj_with_mqa", weight: "self_attn.kv_a_proj_with_mqa.weight",
      bias: sizes.bias ? "self_attn.kv_a_proj_with_mqa.bias" : nil, input: hidden,
      output: sizes.keyRank + sizes.turned)
    norm = try RMSNorm(
      "kv_a_layernorm", weight: "self_attn.kv_a_layernorm.weight", width: sizes.keyRank, in: &f)
    expand = try f.linear(
      "kv_b_proj", weight: "self_attn.kv_b_proj.weight", input: sizes.keyRank,
      output: try checkedProduct(heads, sizes.plain + sizes.value))
    output = try f.linear(
      "o_proj", weight: "self_attn.o_proj.weight", bias: sizes.bias ? "self_attn.o_proj.bias" : nil,
      input: try checkedProduct(heads, sizes.value), output: hidden)
    var attention = CausalAttention(heads: heads, keyHeads: heads, headWidth: sizes.headWidth)
    attention.valueWidth = sizes.value
    attention.dropout = sizes.drops
    attention.contiguousHeads = true
    self.attention = attention
  }

  func callAsFunction(_ x: Value, _ around: RotaryAttention.Surroundings, in f: inout Forward)
    throws(PlanError) -> (output: Value, weights: Value?)
  {
    f.enter("self_attn", holding: x)
    let heads = f.local(
      try f.heads(try project(x, in: &f), width: sizes.headWidth, copies: sizes.heads > 1))
    let (plain, turning) = try f.parts(heads, first: sizes.plain)
    let (queryPlain, queryTurning) = (f.local(plain), f.local(turning))
    let compressed = f.local(try f.project(x, compress))
    let parts = try f.parts(compressed, first: sizes.keyRank)
    let keyTurning = f.local(parts.1)
    let latent = f.local(try norm(f.local(parts.0), in: &f), replacing: parts.0)

    let (q, k) = try rotate(queryTurning, keyTurning, around, in: &f)
    let queryTurned = f.local(q, replacing: queryTurning)
    let keyTurned = f.local(k, replacing: keyTurning)
    let states = f.local(try f.concatenate(queryPlain, queryTurned))
    let expanded = try keysAndValues(latent, keyTurned, in: &f)
    let (keys, values) = (f.local(expanded.0), f.local(expanded.1))
    let (result, weights) = try attention(states, keys, values, mask: around.mask, in: &f)
    let attended = f.local(result)
    let kept = weights.map { f.local($0) }
    let projected = f.local(try f.project(attended, output), replacing: attended)
    guard let kept else { return (f.leave(projected), nil) }
    return f.leave(projected, kept)
  }

  private func project(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    switch queries {
    case .direct(let linear): try f.project(x, linear)
    case .latent(let down, let norm, let up):
      try f.project(try norm(try f.project(x, down), in: &f), up)
    }
  }

  private func rotate(
    _ q: Value, _ k: Value, _ around: RotaryAttention.Surroundings, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    switch sizes.rotation {
    case .complex: RotaryEmbedding.applyComplex(q, k, table: around.cos, in: &f)
    case .pairs:
      try RotaryEmbedding.applyToPairs(q, k, cos: around.cos, sin: around.sin, in: &f)
    case .halves: try RotaryEmbedding.apply(q, k, cos: around.cos, sin: around.sin, in: &f)
    }
  }

  /// The keys lie in a new tensor, the values in the projection's result.
  private func keysAndValues(_ latent: Value, _ turned: Value, in f: inout Forward)
    throws(PlanError) -> (Value, Value)
  {
    f.enter("expand_kv", holding: latent, turned)
    let heads = f.local(
      try f.heads(
        try f.project(latent, expand), width: sizes.plain + sizes.value, copies: sizes.heads > 1))
    let (plain, value) = try f.parts(heads, first: sizes.plain)
    let (keys, values) = (f.local(plain), f.local(value))
    let shared = f.local(try f.repeatHeads(turned, times: sizes.heads, copies: false))
    let spec = try TensorSpec(keys.spec.rows, sizes.headWidth, keys.spec.dtype)
    let filled = f.fill(
      f.plain("new_empty", spec, role: .activations), with: keys, isFirst: true)
    return f.leave(f.local(f.fill(filled, with: shared, isFirst: false)), values)
  }
}

/// The sizes of multi-head latent attention.
struct LatentSizes: Sendable {
  /// How queries and keys are rotated.
  enum Rotation: Sendable {
    /// As complex numbers: DeepSeek V2.
    case complex
    /// Neighbouring elements: DeepSeek V3.
    case pairs
    /// Both halves of a head: DeepSeek V3 with `rope_interleave` false.
    case halves
  }

  let hidden: Int
  let heads: Int
  /// Elements of the queries' narrow vector, if they have one.
  let queryRank: Int?
  /// Elements of the narrow vector of keys and values.
  let keyRank: Int
  /// Elements of a query or key head that are not rotated.
  let plain: Int
  /// Elements that are.
  let turned: Int
  /// Elements of a value head.
  let value: Int
  /// Whether attention weights are dropped out in training.
  let drops: Bool
  /// Biases of the projections from and to the hidden size.
  let bias: Bool
  var rotation: Rotation

  /// Elements of a query or key head.
  var headWidth: Int { plain + turned }

  /// Reads them; throws where a head has nothing to rotate in pairs.
  init(_ config: inout Settings, _ sizes: DecoderSizes, rotation: Rotation) throws(PlanError) {
    (hidden, heads, self.rotation) = (sizes.hidden, sizes.heads, rotation)
    drops = sizes.dropsAttention
    let range = 1...1_000_000
    let rank = try config.optionalInteger("q_lora_rank", in: range)
    queryRank = config.has("q_lora_rank") ? rank : 1536
    keyRank = try config.integer("kv_lora_rank", in: range, default: 512)
    plain = try config.integer("qk_nope_head_dim", in: range, default: 128)
    turned = try config.integer("qk_rope_head_dim", in: range, default: 64)
    value = try config.integer("v_head_dim", in: range, default: 128)
    bias = try config.bool("attention_bias", default: false)
    guard turned % 2 == 0 else {
      throw PlanError(
        .invalid, "rotary embeddings need an even head size, found \(turned)",
        path: config.place("qk_rope_head_dim"), fix: "Choose an even qk_rope_head_dim.")
    }
    guard sizes.keyHeads == sizes.heads else {
      throw PlanError(
        .invalid, "\(sizes.keyHeads) key/value heads where each of \(heads) heads has its own",
        path: config.place("num_key_value_heads"),
        fix: "Set it to num_attention_heads, or leave it out.")
    }
  }

  /// The names of its linear projections.
  var linearModules: [String] {
    (queryRank == nil ? ["q_proj"] : ["q_a_proj", "q_b_proj"])
      + ["kv_a_proj_with_mqa", "kv_b_proj", "o_proj"]
  }
}

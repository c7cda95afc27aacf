/// The sizes of multi-latent attention.
struct MegatronLatentSizes: Hashable, Sendable {
  /// `q_lora_rank`, or `nil` for queries straight from the hidden states.
  var queryRank: Int?
  /// `kv_lora_rank`.
  var keyRank: Int
  /// Columns of a query or key head that are not rotated (`qk_head_dim`).
  var plainWidth: Int
  /// Columns of it that are (`qk_pos_emb_head_dim`).
  var rotaryWidth: Int
  /// `v_head_dim`.
  var valueWidth: Int
}

/// DeepSeek's attention over compressed queries, keys and values.
///
/// The matrices down are whole on every device; those up are cut by heads, with their norms fused.
///
/// Source: `MLASelfAttention` in `megatron/core/transformer/multi_latent_attention.py`, core 0.16.1.
struct MegatronLatentAttention: MegatronSelfAttention {
  private let latent: MegatronLatentSizes
  private let heads: Int
  private let tokens: MegatronTokens
  private let drops: Bool
  private let norm: MegatronNorm
  private let queryDown: Parameter?
  private let queryNorm: MegatronNorm?
  private let queryUp: Parameter
  private let keyDown: Parameter
  private let keyNorm: MegatronNorm?
  private let keyUp: Parameter
  private let output: Parameter
  let outputBias: Parameter?

  /// Declares its weights.
  init(
    _ sizes: MegatronSizes, _ latent: MegatronLatentSizes, _ part: MegatronSizes.Part,
    _ tokens: MegatronTokens, in f: inout Forward
  ) throws(PlanError) {
    (self.latent, self.tokens, heads, drops) = (latent, tokens, part.heads, sizes.dropsAttention)
    let hidden = sizes.hidden
    norm = try f.megatronNorm("input_layernorm.weight", sizes, width: hidden)
    output = try f.cutParameter(
      "self_attention.linear_proj.weight", hidden, try checkedProduct(heads, latent.valueWidth))
    outputBias =
      sizes.addsBias ? try f.parameter("self_attention.linear_proj.bias", 1, hidden) : nil
    let queries = try checkedProduct(heads, latent.plainWidth + latent.rotaryWidth)
    queryDown = try latent.queryRank.map { (rank) throws(PlanError) in
      try f.parameter("self_attention.linear_q_down_proj.weight", rank, hidden)
    }
    queryNorm =
      sizes.normsHeads
      ? try latent.queryRank.map { (rank) throws(PlanError) in
        try f.megatronNorm("self_attention.linear_q_up_proj.layer_norm_weight", sizes, width: rank)
      } : nil
    queryUp = try f.cutParameter(
      "self_attention.linear_q_up_proj.weight", queries, latent.queryRank ?? hidden)
    keyDown = try f.parameter(
      "self_attention.linear_kv_down_proj.weight", latent.keyRank + latent.rotaryWidth, hidden)
    keyNorm =
      sizes.normsHeads
      ? try f.megatronNorm(
        "self_attention.linear_kv_up_proj.layer_norm_weight", sizes, width: latent.keyRank) : nil
    keyUp = try f.cutParameter(
      "self_attention.linear_kv_up_proj.weight",
      try checkedProduct(heads, latent.plainWidth + latent.valueWidth), latent.keyRank)
  }

  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("self_attention")
    let normed = f.local(try f.norm(x, norm))
    let compressed = try queryDown.map { (down) throws(PlanError) in
      f.local(try f.parallelProduct(normed, down, cut: nil))
    }
    let combined = try f.parallelProduct(normed, keyDown, cut: nil)
    let (raw, position) = try f.halves(combined, latent.keyRank, latent.rotaryWidth)
    let keys = f.local(raw)
    var shared = f.local(position)
    if f.context.mesh.cutsSequence, f.context.mesh.tensor > 1 {
      shared = f.local(
        try f.exchanged(shared, "gather_from_sequence_parallel_region", rows: tokens.all),
        replacing: shared)
    }
    let q = try up(compressed ?? normed, queryNorm, queryUp, in: &f)
    let kv = f.local(try up(keys, keyNorm, keyUp, in: &f))
    // Parts that are rotated are joined with those that are not: new tensors for queries, keys and values.
    let query = f.local(try f.headed(q, latent.plainWidth + latent.rotaryWidth, heads))
    let (key, value) = try f.joined(kv, shared, latent, heads: heads)
    let (k, v) = (f.local(key), f.local(value))
    f.forget(kv)
    var shape = AttentionShape(
      batch: tokens.batch, queries: tokens.sequence, keys: tokens.sequence, heads: heads,
      keyHeads: heads, headWidth: latent.plainWidth + latent.rotaryWidth, dropout: drops)
    shape.valueWidth = latent.valueWidth
    let attended = f.local(try MegatronCoreAttention(shape: shape)(query, k, v, in: &f))
    return f.leave(try f.parallelProduct(attended, output, cut: .row))
  }

  private func up(_ x: Value, _ norm: MegatronNorm?, _ weight: Parameter, in f: inout Forward)
    throws(PlanError) -> Value
  {
    guard let norm else { return try f.parallelProduct(x, weight, cut: .column) }
    return try f.normedProduct(x, norm, weight, bias: nil)
  }
}

extension Forward {
  /// Two parts of each row as views; backward joins their gradients in a new tensor.
  fileprivate mutating func halves(_ x: Value, _ a: Int, _ b: Int) throws(PlanError)
    -> (Value, Value)
  {
    begin("split", x)
    gradient(0, x.spec)
    return endViews(
      try TensorSpec(x.spec.rows, a, x.spec.dtype), try TensorSpec(x.spec.rows, b, x.spec.dtype),
      of: x)
  }

  /// Queries with their rotated part: a new tensor, one row a head.
  fileprivate mutating func headed(_ x: Value, _ width: Int, _ heads: Int) throws(PlanError)
    -> Value
  {
    begin("mla_rope", x)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    return end(try x.spec.reshaped(columns: width))
  }

  /// Keys, each head with the rotated part that all share, and values: two new tensors.
  fileprivate mutating func joined(
    _ kv: Value, _ position: Value, _ latent: MegatronLatentSizes, heads: Int
  ) throws(PlanError) -> (Value, Value) {
    let (plain, value) = (latent.plainWidth, latent.valueWidth)
    let (keys, values) = try halves(
      kv, try checkedProduct(heads, plain), try checkedProduct(heads, value))
    let rows = try checkedProduct(position.spec.rows, heads)
    begin("mla_join_keys", keys, position)
    work(flops: 0, bytes: 2 * kv.spec.bytes, dtype: kv.spec.dtype)
    gradient(0, keys.spec)
    gradient(1, position.spec)
    let key = end(try TensorSpec(rows, plain + latent.rotaryWidth, kv.spec.dtype))
    return (key, try contiguous(values, columns: value))
  }
}

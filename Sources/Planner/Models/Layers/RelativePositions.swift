/// T5's table of biases by relative position, in buckets that grow with the distance.
///
/// Source: `T5Attention.compute_bias` and `_relative_position_bucket`, transformers 5.17.
struct RelativePositions: Sendable {
  /// The table, `[buckets, heads]`.
  let table: Parameter
  /// Attention heads.
  let heads: Int
  /// Whether keys behind the query have buckets of their own.
  let bothDirections: Bool

  /// Computes the bias of `queries` positions towards `keys` positions, `[heads·queries, keys]`.
  func callAsFunction(queries: Int, keys: Int, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("relative_attention_bias")
    let start = f.plain("arange", try TensorSpec(1, queries, .int64))
    _ = f.local(f.plain("add", start.spec))
    f.discard(start)
    _ = f.local(f.plain("arange", try TensorSpec(1, keys, .int64)))
    let relative = f.local(f.plain("sub", try TensorSpec(queries, keys, .int64)))
    let buckets = f.local(buckets(relative, in: &f))
    let pairs = try checkedProduct(queries, keys)
    let values = try f.embedding(
      rows: pairs, table, module: "relative_attention_bias", at: buckets, permuted: heads > 1)
    return f.leave(try f.permute(values, columns: keys))
  }

  /// The bucket of each pair; of the arithmetic only the memory matters.
  private func buckets(_ relative: Value, in f: inout Forward) -> Value {
    let wide = relative.spec
    func next(_ name: StaticString, _ spec: TensorSpec, freeing old: Value, _ f: inout Forward)
      -> Value
    {
      let value = f.plain(name, spec)
      f.discard(old)
      return value
    }
    f.enter("buckets", holding: relative)
    var sum: Value?
    if bothDirections {
      var later = f.plain("gt", wide.cast(to: .bool))
      later = next("to", wide, freeing: later, &f)
      later = next("mul", wide, freeing: later, &f)
      sum = f.local(next("add", wide, freeing: later, &f))
      _ = f.local(f.plain("abs", wide))
    } else {
      let lower = next("minimum", wide, freeing: f.plain("zeros_like", wide), &f)
      _ = f.local(next("neg", wide, freeing: lower, &f))
    }
    _ = f.local(f.plain("lt", wide.cast(to: .bool)))
    var scaled = f.plain("to", wide.cast(to: .fp32))
    for name in ["div", "log", "div", "mul"] as [StaticString] {
      scaled = next(name, wide.cast(to: .fp32), freeing: scaled, &f)
    }
    scaled = next("to", wide, freeing: scaled, &f)
    let far = f.local(next("add", wide, freeing: scaled, &f))
    _ = f.local(next("minimum", wide, freeing: f.plain("full_like", wide), &f), replacing: far)
    let chosen = f.plain("where", wide)
    let result = sum ?? f.plain("add", wide)
    f.discard(chosen)
    return f.leave(result)
  }
}

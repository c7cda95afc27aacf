/// T5's attention: scores are not scaled, and a bias for the distance of the positions is added to them.
///
/// Source: `T5Attention.forward`, transformers 5.17.
struct T5Attention: Sendable {
  private let module: StaticString
  private let q: Linear
  private let k: Linear
  private let v: Linear
  private let output: Linear
  private let table: RelativePositions?
  private let sizes: T5Sizes
  private let bothDirections: Bool

  /// Declares the projections, and the table of biases where this layer has it.
  init(
    _ module: StaticString, _ sizes: T5Sizes, table: Bool = false, bothDirections: Bool = true,
    in f: inout Forward
  ) throws(PlanError) {
    self.module = module
    self.sizes = sizes
    self.bothDirections = bothDirections
    let (hidden, inner) = (sizes.hidden, try checkedProduct(sizes.heads, sizes.headWidth))
    q = try f.linear("q", weight: "q.weight", input: hidden, output: inner)
    k = try f.linear("k", weight: "k.weight", input: hidden, output: inner)
    v = try f.linear("v", weight: "v.weight", input: hidden, output: inner)
    output = try f.linear("o", weight: "o.weight", input: inner, output: hidden)
    self.table =
      table
      ? RelativePositions(
        table: try f.parameter("relative_attention_bias.weight", sizes.buckets, sizes.heads),
        heads: sizes.heads, bothDirections: bothDirections) : nil
  }

  /// Attends from `x` to itself, or to `source`.
  ///
  /// - Parameters:
  ///   - tokens: Positions of each sequence of `x`.
  ///   - given: The bias of the layers before; the first layer makes it.
  /// - Returns: The result, the weights where they are written out, and the bias.
  func callAsFunction(
    _ x: Value, _ source: Value?, tokens: Int, mask: Value?, given: PositionBias?,
    in f: inout Forward
  ) throws(PlanError) -> (output: Value, weights: Value?, bias: PositionBias) {
    f.enter(module, holding: x, source)
    let keyTokens = source == nil ? tokens : f.context.sequence
    var attention = CausalAttention(
      heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth, dropout: sizes.drops,
      plainSoftmax: true, keepsSoftmax: true)
    // A single query has no future, so that its bias needs no mask.
    attention.causal = source == nil && !bothDirections && tokens > 1
    (attention.queries, attention.keys) = (tokens, keyTokens)

    let own = PositionBias(
      value: x, lookedUp: table != nil,
      wantsGradient: table == nil ? f.context.enablesCheckpointing : f.context.trainsBase)
    let written = f.context.attention == .eager || writes(attention, given ?? own, like: x, in: f)
    // Gradients of several heads arrive transposed; those of keys fit their rows in a batch of one.
    let copies = written && sizes.heads > 1
    let width = sizes.headWidth
    let queries = f.local(try f.heads(try f.project(x, q), width: width, copies: copies))
    let keys = f.local(
      try f.heads(
        try f.project(source ?? x, k), width: width, copies: copies && f.context.batch > 1))
    let values = f.local(
      try f.heads(try f.project(source ?? x, v), width: width, copies: copies))
    let bias: PositionBias
    if let given {
      bias = given
    } else {
      bias = try self.bias(tokens, keyTokens, like: queries, in: &f)
    }
    let (rows, weights) = try attention(queries, keys, values, mask: mask, bias: bias, in: &f)
    let attended = f.local(rows)
    let kept = weights.map { f.local($0) }
    let projected = f.local(try f.project(attended, output), replacing: attended)
    let (result, _, _) = f.leave(projected, kept ?? projected, bias.value)
    return (result, kept, bias)
  }

  /// Whether `scaled_dot_product_attention` falls back to matrix products.
  private func writes(
    _ attention: CausalAttention, _ bias: PositionBias, like x: Value, in f: Forward
  ) -> Bool {
    attention.kernel(bias, dtype: x.spec.dtype, on: f.context) == .math
  }

  /// The bias that the first layer makes: of the table, or zeros that want a gradient in a model that checkpoints.
  private func bias(_ queries: Int, _ keys: Int, like q: Value, in f: inout Forward)
    throws(PlanError) -> PositionBias
  {
    if let table {
      return PositionBias(
        value: f.local(try table(queries: queries, keys: keys, in: &f)), lookedUp: true,
        wantsGradient: f.context.trainsBase)
    }
    let wants = f.context.enablesCheckpointing
    let zeros = f.local(
      f.plain(
        "zeros", try TensorSpec(try checkedProduct(sizes.heads, queries), keys, q.spec.dtype),
        role: .activations))
    if wants { f.require(zeros) }
    return PositionBias(value: zeros, lookedUp: false, wantsGradient: wants)
  }
}

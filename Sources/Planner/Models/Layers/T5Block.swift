/// One layer of a T5 stack: self-attention, in the decoder attention to what the encoder made, a feed-forward part.
///
/// Source: `T5Block.forward`, `T5LayerSelfAttention.forward`, `T5LayerCrossAttention.forward`, `T5LayerFF.forward`,
/// transformers 5.17.
struct T5Block: Sendable {
  let sizes: T5Sizes
  /// What the decoder reads of the encoder, `[batch·tokens, hidden]`; `nil` in the encoder.
  let encoded: Value?
  /// The mask of self-attention, where it is written out.
  let mask: Value?
  /// Tokens of the stack's sequences.
  let tokens: Int

  /// The biases that the first layer makes and all others read.
  struct Biases: Sendable {
    let own: PositionBias
    var across: PositionBias?
  }

  /// Declares and runs one layer.
  ///
  /// - Parameter given: The biases; `nil` in the first layer, which has the table.
  func callAsFunction(_ x: Value, _ given: Biases?, in f: inout Forward)
    throws(PlanError) -> (output: Value, biases: Biases)
  {
    let attention = try T5Attention(
      "SelfAttention", sizes, table: given == nil, bothDirections: encoded == nil, in: &f)
    let attentionNorm = try norm(in: &f)
    let across = try encoded.map { (_) throws(PlanError) in
      (attention: try T5Attention("EncDecAttention", sizes, in: &f), norm: try norm(in: &f))
    }
    let feedForward = try T5FeedForward(sizes, in: &f)
    let finalNorm = try norm(in: &f)

    f.enter("layer")
    let (first, weights, own) = try branch(
      x, attentionNorm, attention, nil, mask: mask, given: given?.own, in: &f)
    var stream = f.local(first)
    var kept = weights.map { f.local($0) }
    var made: PositionBias?
    if let across, let encoded {
      let (second, weights, bias) = try branch(
        stream, across.norm, across.attention, encoded, mask: nil, given: given?.across, in: &f)
      stream = f.local(second, replacing: stream)
      made = bias
      if let weights, let old = kept { kept = f.local(weights, replacing: old) }
    }
    f.enter("layer", holding: stream)
    var fed = f.local(try finalNorm(stream, in: &f))
    fed = f.local(try feedForward(fed, in: &f), replacing: fed)
    stream = f.local(f.leave(try f.add(stream, dropped(fed, in: &f))), replacing: stream)
    let (output, _, _) = f.leave(stream, own.value, made?.value ?? own.value)
    return (output, Biases(own: own, across: made))
  }

  /// `hidden_states + dropout(attention(layer_norm(hidden_states)))`.
  private func branch(
    _ x: Value, _ norm: RMSNorm, _ attention: T5Attention, _ source: Value?, mask: Value?,
    given: PositionBias?, in f: inout Forward
  ) throws(PlanError) -> (output: Value, weights: Value?, bias: PositionBias) {
    f.enter("layer", holding: x)
    let normed = f.local(try norm(x, in: &f))
    let (rows, weights, bias) = try attention(
      normed, source, tokens: tokens, mask: mask, given: given, in: &f)
    let attended = f.local(rows)
    let kept = weights.map { f.local($0) }
    let sum = f.local(try f.add(x, dropped(attended, in: &f)), replacing: attended)
    let (output, _, _) = f.leave(sum, kept ?? sum, bias.value)
    return (output, kept, bias)
  }

  private func dropped(_ x: Value, in f: inout Forward) -> Value {
    sizes.drops ? f.dropout(x) : x
  }

  private func norm(in f: inout Forward) throws(PlanError) -> RMSNorm {
    try RMSNorm(
      "layer_norm", weight: "layer_norm.weight", width: sizes.hidden, form: .narrow, in: &f)
  }
}

/// The sizes that all layers of a T5 share.
struct T5Sizes: Sendable {
  let hidden: Int
  let heads: Int
  let headWidth: Int
  let intermediate: Int
  let buckets: Int
  let activation: Activation
  let gated: Bool
  let drops: Bool
}

/// The feed-forward part, with or without a gate.
///
/// Source: `T5DenseActDense.forward` and `T5DenseGatedActDense.forward`, transformers 5.17.
struct T5FeedForward: Sendable {
  private let gate: Linear
  private let up: Linear?
  private let down: Linear
  private let sizes: T5Sizes

  /// Declares the projections.
  init(_ sizes: T5Sizes, in f: inout Forward) throws(PlanError) {
    self.sizes = sizes
    let (hidden, wide) = (sizes.hidden, sizes.intermediate)
    if sizes.gated {
      gate = try f.linear("wi_0", weight: "wi_0.weight", input: hidden, output: wide)
      up = try f.linear("wi_1", weight: "wi_1.weight", input: hidden, output: wide)
    } else {
      gate = try f.linear("wi", weight: "wi.weight", input: hidden, output: wide)
      up = nil
    }
    // One of `_keep_in_fp32_modules`, which loaders do not quantize.
    down = try f.linear(
      "wo", weight: "wo.weight", input: wide, output: hidden, quantizes: false)
  }

  /// Runs it; the last projection gets its input in the format of its weight.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("DenseReluDense", holding: x)
    var hidden: Value
    if let up {
      let gated = f.local(try f.activate(try f.project(x, gate), sizes.activation))
      let linear = f.local(try f.project(x, up))
      hidden = f.local(try f.multiply(gated, linear))
    } else {
      hidden = f.local(try f.project(x, gate))
      hidden = f.local(try f.activate(hidden, sizes.activation), replacing: hidden)
    }
    if sizes.drops { hidden = f.local(f.dropout(hidden), replacing: hidden) }
    if hidden.spec.dtype != down.weight.value.spec.dtype {
      hidden = f.local(f.cast(hidden, to: down.weight.value.spec.dtype), replacing: hidden)
    }
    return f.leave(f.local(try f.project(hidden, down), replacing: hidden))
  }
}

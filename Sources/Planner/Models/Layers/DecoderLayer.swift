/// A layer with two residual branches, attention and a feed-forward part, with norms before and after each.
///
/// Source: `LlamaDecoderLayer.forward`, `Gemma2DecoderLayer.forward` and `Olmo2DecoderLayer.forward`,
/// transformers 5.17.
struct DecoderLayer: Sendable {
  let attention: any SelfAttention
  let feedForward: any FeedForward
  var beforeAttention: (any Norm)?
  var afterAttention: (any Norm)?
  var beforeFeedForward: (any Norm)?
  var afterFeedForward: (any Norm)?
  /// Whether a dropout ends each branch.
  var dropsBranches = false

  /// Runs it over the residual stream.
  func callAsFunction(_ x: Value, _ around: RotaryAttention.Surroundings, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter("layer")
    var residual = f.local(x)
    var stream = f.local(x)
    func apply(_ norm: (any Norm)?, _ f: inout Forward) throws(PlanError) {
      if let norm { stream = f.local(try norm(stream, in: &f), replacing: stream) }
    }
    try apply(beforeAttention, &f)
    let (attended, weights) = try attention(stream, around, in: &f)
    stream = f.local(attended, replacing: stream)
    if let weights { _ = f.local(weights) }
    try apply(afterAttention, &f)
    stream = f.local(try f.add(residual, branch(stream, &f)), replacing: stream)

    residual = f.local(stream, replacing: residual)
    try apply(beforeFeedForward, &f)
    stream = f.local(try feedForward(stream, in: &f), replacing: stream)
    try apply(afterFeedForward, &f)
    stream = f.local(try f.add(residual, branch(stream, &f)), replacing: stream)
    return f.leave(stream)
  }

  private func branch(_ stream: Value, _ f: inout Forward) -> Value {
    dropsBranches ? f.dropout(stream) : stream
  }
}

/// Attention in both directions with three projections, as encoders of one kind of layer run it.
///
/// Source: `BertSelfAttention.forward` and `ViTAttention.forward`, transformers 5.17.
struct EncoderAttention: Sendable {
  let attention: CausalAttention
  let q: Linear
  let k: Linear
  let v: Linear

  /// Projects and attends; queries, keys and values are names of the caller's open frame.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> (Value, Value?) {
    let width = attention.headWidth
    // Gradients of several heads arrive transposed; those of keys fit their rows in a batch of one.
    let copies = attention.copiesEveryGradient(in: f) && attention.heads > 1
    let copiesKey = copies && (f.context.attention == .flash || f.context.batch > 1)
    let queries = f.local(try f.heads(try f.project(x, q), width: width, copies: copies))
    let keys = f.local(
      try f.heads(try f.project(x, k), width: width, copies: copiesKey))
    let values = f.local(try f.heads(try f.project(x, v), width: width, copies: copies))
    let (rows, weights) = try attention(queries, keys, values, mask: nil, in: &f)
    let output = f.local(rows)
    let kept = weights.map { f.local($0) }
    return (output, kept)
  }
}

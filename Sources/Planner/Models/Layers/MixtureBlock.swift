/// A router and its experts in place of an MLP, with an expert for all tokens beside them in some families.
///
/// Source: `MixtralSparseMoeBlock.forward`, `Qwen2MoeSparseMoeBlock.forward` and
/// `Qwen3MoeSparseMoeBlock.forward`, transformers 5.17.
struct MixtureBlock: FeedForward {
  let router: SoftmaxRouter
  let experts: Experts
  var shared: Shared?

  /// The expert for all tokens, scaled by a sigmoid of each token.
  struct Shared: Sendable {
    let expert: GatedMLP
    let gate: Linear
  }

  /// Runs the block.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    let first = f.program.operations.count
    defer { f.span(.mixture, since: first) }
    f.enter("mlp", holding: x)
    let tokens = f.local(try f.view(x, columns: x.spec.columns))
    var common: Value?
    if let shared { common = f.local(try shared.expert(tokens, in: &f)) }
    let (logits, weights, indices) = try router(tokens, in: &f)
    _ = f.local(logits)
    let (scales, chosen) = (f.local(weights), f.local(indices))
    var result = f.local(try experts(tokens, indices: chosen, weights: scales, in: &f))
    if let shared, let unscaled = common {
      let gate = f.sigmoid(try f.project(tokens, shared.gate))
      let scaled = f.local(try f.multiply(gate, unscaled), replacing: unscaled)
      result = f.local(try f.add(result, scaled), replacing: result)
    }
    return f.leave(try f.view(result, columns: x.spec.columns))
  }
}

/// The dense feed-forward part: two matrices and a fused activation, gated or not.
///
/// Source: `MLP` in `megatron/core/transformer/mlp.py`, core 0.16.1.
struct MegatronMLP: MegatronFeedForward {
  private let norm: MegatronNorm
  private let first: Parameter
  private let firstBias: Parameter?
  private let second: Parameter
  /// Added with the dropout and the residual.
  let outputBias: Parameter?
  private let isGated: Bool

  /// Declares its weights.
  init(_ sizes: MegatronSizes, _ part: MegatronSizes.Part, in f: inout Forward) throws(PlanError) {
    isGated = sizes.isGated
    let width = part.feedForward
    let rows = try checkedProduct(isGated ? 2 : 1, width)
    norm = try f.megatronNorm("mlp.linear_fc1.layer_norm_weight", sizes, width: sizes.hidden)
    first = try f.cutParameter("mlp.linear_fc1.weight", rows, sizes.hidden)
    firstBias = sizes.addsBias ? try f.cutParameter("mlp.linear_fc1.bias", 1, rows) : nil
    second = try f.cutParameter("mlp.linear_fc2.weight", sizes.hidden, width)
    outputBias = sizes.addsBias ? try f.parameter("mlp.linear_fc2.bias", 1, sizes.hidden) : nil
  }

  /// Runs it; its last bias is left to the caller.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("mlp", holding: x)
    let wide = f.local(try f.normedProduct(x, norm, first, bias: nil))
    let active = f.local(
      try f.fusedActivation(wide, bias: firstBias, gated: isGated), replacing: wide)
    return f.leave(try f.parallelProduct(active, second, cut: .row))
  }
}

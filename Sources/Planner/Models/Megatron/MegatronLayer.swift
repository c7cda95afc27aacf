/// One layer: attention and a feed-forward part, each behind a norm that is fused into its first matrix.
///
/// Source: `TransformerLayer` in `megatron/core/transformer/transformer_layer.py`, core 0.16.1.
struct MegatronLayer: Sendable {
  private let sizes: MegatronSizes
  private let attention: any MegatronSelfAttention
  private let feedForward: any MegatronFeedForward

  /// Declares its weights.
  init(
    _ sizes: MegatronSizes, _ part: MegatronSizes.Part, _ tokens: MegatronTokens,
    hasExperts: Bool, in f: inout Forward
  ) throws(PlanError) {
    self.sizes = sizes
    if let latent = sizes.latent {
      attention = try MegatronLatentAttention(sizes, latent, part, tokens, in: &f)
    } else {
      attention = try MegatronAttention(sizes, part, tokens, in: &f)
    }
    if hasExperts, let experts = sizes.experts {
      feedForward = try MegatronExperts(sizes, experts, tokens, in: &f)
    } else {
      feedForward = try MegatronMLP(sizes, part, in: &f)
    }
  }

  /// Runs it over the residual stream.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("layer")
    let residual = f.local(x)
    let attended = f.local(try attention(residual, in: &f))
    let middle = f.local(
      try f.biasDropoutAdd(
        attended, bias: attention.outputBias, residual: residual, drops: sizes.dropsHidden))
    f.forget(attended)
    f.forget(residual)
    let fed = f.local(try feedForward(middle, in: &f))
    let output = try f.biasDropoutAdd(
      fed, bias: feedForward.outputBias, residual: middle, drops: sizes.dropsHidden)
    return f.leave(f.local(output))
  }
}

/// One of Megatron's self-attentions, with the norm ahead of it.
protocol MegatronSelfAttention: Sendable {
  /// A bias that is added with the dropout and the residual.
  var outputBias: Parameter? { get }
  /// Runs it over the residual stream.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value
}

/// One of Megatron's feed-forward parts, with the norm ahead of it.
protocol MegatronFeedForward: Sendable {
  /// A bias that is added with the dropout and the residual.
  var outputBias: Parameter? { get }
  /// Runs it over the residual stream.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value
}

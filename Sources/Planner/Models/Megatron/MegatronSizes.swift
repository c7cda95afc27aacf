/// The sizes of a decoder as Megatron's core builds it (`GPTModel`).
public struct MegatronSizes: Hashable, Sendable {
  /// How a position enters.
  enum Positions: Hashable, Sendable {
    /// A table of so many positions is added to the embedding.
    case learned(Int)
    /// Queries and keys are rotated.
    case rotary
    /// Not at all.
    case none
  }

  var vocabulary: Int
  var hidden: Int
  var layers: Int
  var heads: Int
  /// Heads of keys and values (`num_query_groups`).
  var keyHeads: Int
  var headWidth: Int
  /// Elements between the two matrices of an MLP; a gated one's first matrix makes twice as many.
  var feedForward: Int
  /// Whether the MLP is gated (`swiglu`).
  var isGated = false
  /// Whether norms are RMSNorm.
  var usesRMSNorm = false
  /// Biases of all linear layers but the output layer.
  var addsBias = true
  /// Biases of the query, key and value matrices where the others have none.
  var addsQueryBias = false
  /// Norms over each query and key head.
  var normsHeads = false
  var positions = Positions.learned(1024)
  /// Whether embedding and output layer share their weight.
  var isTied = true
  /// Whether hidden states are dropped out.
  var dropsHidden = true
  /// Whether attention weights are.
  var dropsAttention = true
  /// The experts of some layers, or `nil`.
  var experts: MegatronExpertSizes?
  /// Multi-latent attention, or `nil` for heads of their own.
  var latent: MegatronLatentSizes?
  /// What the vocabulary is padded to a multiple of, times the tensor-parallel degree.
  var vocabularyUnit = 128

  /// The part of one of `degree` devices.
  func part(of degree: Int) throws(PlanError) -> Part {
    for (name, count) in [("attention heads", heads), ("MLP elements", feedForward)]
    where count % degree != 0 {
      throw PlanError(
        .invalid, "\(count) \(name) cannot be cut over \(degree) devices",
        path: "strategies.tensor_parallel.degree", fix: "Choose a degree that divides them.")
    }
    guard keyHeads % degree == 0 || degree % keyHeads == 0 else {
      throw PlanError(
        .invalid, "\(keyHeads) key and value heads cannot be cut over \(degree) devices",
        path: "strategies.tensor_parallel.degree",
        fix: "Choose a degree that divides their number, or a multiple of it.")
    }
    let unit = try checkedProduct(vocabularyUnit, degree)
    let padded = try checkedProduct(vocabulary / unit + (vocabulary % unit == 0 ? 0 : 1), unit)
    return Part(
      vocabulary: padded / degree, heads: heads / degree, keyHeads: max(1, keyHeads / degree),
      feedForward: feedForward / degree)
  }

  /// What one tensor-parallel device has.
  struct Part: Hashable, Sendable {
    /// Rows of the padded vocabulary.
    let vocabulary: Int
    let heads: Int
    let keyHeads: Int
    let feedForward: Int
  }
}

/// A router that chooses the experts of the highest probability.
///
/// Source: `MixtralTopKRouter.forward` and `Qwen3MoeTopKRouter.forward`, transformers 5.17.
struct SoftmaxRouter: Sendable {
  private let weight: Parameter
  private let choices: Int
  private let own: Int
  private let form: Form

  /// What a family does with the probabilities.
  enum Form: Sendable {
    /// Casts the logits, divides the chosen probabilities by their sum and leaves them in fp32: Mixtral.
    case wide
    /// Casts the chosen probabilities back, and may divide them by their sum first: Qwen.
    case restored(normalizes: Bool)
  }

  /// Declares the weight.
  init(_ sizes: ExpertSizes, hidden: Int, form: Form, in f: inout Forward) throws(PlanError) {
    weight = try f.parameter("mlp.gate.weight", sizes.count, hidden)
    choices = sizes.choices
    own = try sizes.own(of: f.context.mesh)
    self.form = form
  }

  /// The logits, the weights of the chosen experts and which they are.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> (
    logits: Value, weights: Value, indices: Value
  ) {
    f.enter("gate", holding: x)
    let rows = f.local(try f.view(x, columns: x.spec.columns))
    let logits = f.local(try f.product(rows, weight, module: "gate"))
    let wide: Value
    switch form {
    case .wide: wide = f.softmax(f.cast(logits, to: .fp32), to: .fp32)
    case .restored: wide = f.softmax(logits, to: .fp32)
    }
    let (values, indices) = try f.topK(f.local(wide), choices)
    var weights = f.local(values)
    let chosen = f.local(indices)
    switch form {
    case .wide: weights = f.local(try f.normalizeRows(weights), replacing: weights)
    case .restored(let normalizes):
      if normalizes { weights = f.local(try f.normalizeRows(weights), replacing: weights) }
      weights = f.local(f.cast(weights, to: logits.spec.dtype), replacing: weights)
    }
    return f.ownChoices(f.leave(logits, weights, chosen), own: own)
  }
}

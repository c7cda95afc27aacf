/// DeepSeek's router: computed in fp32, it may choose groups of experts first.
///
/// Source: `DeepseekV2TopkRouter.forward` and `DeepseekV3TopkRouter.forward`, transformers 5.17.
struct GroupedRouter: Sendable {
  private let weight: Parameter
  private let sizes: ExpertSizes
  private let choice: Choice

  /// How a token's experts are chosen.
  enum Choice: Sendable {
    /// The highest probabilities.
    case greedy
    /// The highest probabilities in the best groups: DeepSeek V2.
    case groups(Groups)
    /// The highest sigmoids, corrected by a bias, in the best groups: DeepSeek V3.
    case biased(Groups, normalizes: Bool)

    /// Whether the router keeps a bias.
    var hasBias: Bool { if case .biased = self { true } else { false } }
  }

  /// How many groups there are, and how many of them a token may use.
  struct Groups: Sendable {
    let count: Int
    let chosen: Int

    /// Reads them; throws where they do not divide the experts.
    init(_ config: inout Settings, _ experts: ExpertSizes, default defaults: (Int, Int)?)
      throws(PlanError)
    {
      count = try config.integer("n_group", in: 1...100_000, default: defaults?.0)
      chosen = try config.integer("topk_group", in: 1...100_000, default: defaults?.1)
      guard experts.count % count == 0, chosen <= count else {
        throw PlanError(
          .invalid, "\(experts.count) experts in \(count) groups, of which \(chosen) are chosen",
          path: config.place(experts.count % count == 0 ? "topk_group" : "n_group"),
          fix: "Choose an n_group that divides n_routed_experts, and a topk_group of at most that.")
      }
    }
  }

  /// Declares the weight.
  init(_ sizes: ExpertSizes, hidden: Int, choice: Choice, in f: inout Forward) throws(PlanError) {
    weight = try f.parameter("mlp.gate.weight", sizes.count, hidden)
    (self.sizes, self.choice) = (sizes, choice)
  }

  /// The logits, the weights of the chosen experts and which they are.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> (
    logits: Value, weights: Value, indices: Value
  ) {
    f.enter("gate", holding: x)
    let rows = f.local(try f.view(x, columns: x.spec.columns))
    let wide = f.cast(rows, to: .fp32)
    let matrix = Parameter(
      name: weight.name, value: f.cast(weight.value, to: .fp32, role: .gradients),
      trainable: weight.trainable)
    let logits = f.local(try f.product(wide, matrix, module: "gate"))
    let (values, chosen): (Value, Value)
    switch choice {
    case .greedy:
      let scores = f.local(f.softmax(logits, to: .fp32))
      (values, chosen) = try f.topK(scores, sizes.choices)
    case .groups(let groups):
      let scores = f.local(f.softmax(logits, to: .fp32))
      let mask = try mask(scores, groups, best: 1, in: &f)
      let masked = f.local(f.maskedFill(scores, mask: mask), replacing: scores)
      f.discard(mask)
      (values, chosen) = try f.topK(masked, sizes.choices)
    case .biased(let groups, _):
      let scores = f.local(f.sigmoid(logits))
      let corrected = f.local(f.plain("add", scores.spec.cast(to: .fp32), role: .activations))
      _ = f.local(try mask(corrected, groups, best: 2, in: &f))
      let masked = f.plain("masked_fill", corrected.spec, role: .activations)
      _ = f.local(masked, replacing: corrected)
      let best = f.plain("topk", try TensorSpec(scores.spec.rows, sizes.choices, .fp32))
      chosen = f.plain("topk", try TensorSpec(scores.spec.rows, sizes.choices, .int64))
      f.discard(best)
      values = try f.pickColumns(scores, at: chosen)
    }
    let indices = f.local(chosen)
    var weights = f.local(values)
    if case .biased(_, normalizes: true) = choice {
      weights = f.local(try f.normalizeRows(weights, guarded: true), replacing: weights)
    }
    weights = f.local(f.scale(weights), replacing: weights)
    return f.ownChoices(
      f.leave(logits, weights, indices), own: try sizes.own(of: f.context.mesh))
  }

  /// Which experts are outside the best groups; nothing of it has a gradient.
  ///
  /// - Parameter best: How many scores of a group are looked at.
  private func mask(_ scores: Value, _ groups: Groups, best: Int, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let tokens = scores.spec.rows
    let rows = try checkedProduct(tokens, groups.count)
    let values = f.plain("topk", try TensorSpec(rows, best, .fp32))
    _ = f.local(f.plain("topk", try TensorSpec(rows, best, .int64)))
    let sums = best == 1 ? values : f.plain("sum", try TensorSpec(rows, 1, .fp32))
    if best > 1 { f.discard(values) }
    _ = f.local(sums)
    let top = f.plain("topk", try TensorSpec(tokens, groups.chosen, .fp32))
    _ = f.local(f.plain("topk", try TensorSpec(tokens, groups.chosen, .int64)))
    f.discard(top)
    _ = f.local(f.plain("zeros_like", try TensorSpec(rows, 1, .fp32)))
    _ = f.local(f.plain("clone", try TensorSpec(tokens, sizes.count, .fp32)))
    let truth = f.plain("to", try TensorSpec(tokens, sizes.count, .bool))
    let mask = f.plain("bitwise_not", truth.spec)
    f.discard(truth)
    return mask
  }
}

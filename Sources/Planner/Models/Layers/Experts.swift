/// The experts of a mixture: gated MLPs whose weights lie in two tensors of three dimensions.
///
/// Every token goes to `choices` of them. The tokens are sorted by expert and multiplied group by group, so that
/// memory and work depend on tokens × choices alone, not on how many each expert gets. Where devices share the experts
/// each has some of the weights, and rows for all tokens × choices.
///
/// Source: `grouped_mm_experts_forward` in `integrations/moe.py`, transformers 5.17: the default on CUDA.
struct Experts: Sendable {
  private let gateUp: Parameter
  private let down: Parameter
  private let count: Int
  private let choices: Int
  private let hidden: Int
  private let intermediate: Int
  private let activation: Activation
  /// Whether devices add up what they make of the tokens.
  private let isShared: Bool

  /// Declares the weights.
  ///
  /// - Parameter isCut: Whether devices that cut matrices cut these too: `packed_colwise` and `rowwise`.
  init(
    _ sizes: ExpertSizes, hidden: Int, activation: Activation, isCut: Bool = true,
    in f: inout Forward
  ) throws(PlanError) {
    (count, choices) = (try sizes.own(of: f.context.mesh), sizes.choices)
    let ranks = isCut ? f.context.mesh.tensor : 1
    (self.hidden, self.activation) = (hidden, activation)
    intermediate = try sizes.columns(ofEach: ranks)
    isShared = count < sizes.count || ranks > 1
    let whole = try checkedProduct(sizes.count, hidden, sizes.intermediate)
    gateUp = try f.parameter(
      "mlp.experts.gate_up_proj", try checkedProduct(count, 2, intermediate), hidden,
      leading: count, whole: isShared ? try checkedProduct(2, whole) : nil)
    down = try f.parameter(
      "mlp.experts.down_proj", try checkedProduct(count, hidden), intermediate,
      leading: count, whole: isShared ? whole : nil)
    f.route(gateUp, to: choices, of: sizes.count)
    f.route(down, to: choices, of: sizes.count)
  }

  /// Runs them over the tokens `x` with the experts `indices` chosen for each and their `weights`.
  func callAsFunction(_ x: Value, indices: Value, weights: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let (x, weights) =
      isShared ? (f.summingGradient(x), f.summingGradient(weights)) : (x, weights)
    let first = f.program.operations.count
    defer { f.span(.experts, since: first) }
    f.enter("experts", holding: x, indices, weights)
    let pairs = indices.spec.elements
    let samples = f.local(try f.view(weights, columns: 1))
    let order = try f.sortLocally(pairs).order
    let tokens = f.plain("floor_divide", order.spec)
    var selected = f.local(try f.gather(x, at: tokens, rows: pairs))
    f.discard(tokens)
    let scales = f.local(try f.gather(samples, at: order, rows: pairs))
    _ = f.local(f.plain("to", order.spec.cast(to: .int32)))
    _ = f.local(f.plain("histc", try TensorSpec(count, 1, .int32)))
    let offsets = f.local(f.plain("cumsum", try TensorSpec(count, 1, .int32)))
    let mask = f.local(f.plain("ge", order.spec.cast(to: .bool)))
    selected = f.local(f.maskedFill(selected, mask: mask, inPlace: true), replacing: selected)

    var rows = f.local(
      try f.groupedProduct(
        selected, gateUp, groups: count, columns: 2 * intermediate, offsets: offsets))
    rows = f.local(f.maskedFill(rows, mask: mask), replacing: rows)
    rows = f.local(try gate(rows, in: &f), replacing: rows)
    rows = f.local(
      try f.groupedProduct(rows, down, groups: count, columns: hidden, offsets: offsets),
      replacing: rows)
    rows = f.local(f.maskedFill(rows, mask: mask), replacing: rows)
    var weighted = f.local(try f.multiply(rows, scales))

    let back = f.local(f.plain("empty_like", order.spec))
    f.discard(f.plain("arange", order.spec))
    weighted = f.local(try f.gather(weighted, at: back, rows: pairs), replacing: weighted)
    let total = f.local(try f.sumOfGroups(weighted, of: choices))
    let result = f.leave(f.cast(total, to: x.spec.dtype))
    return isShared ? f.summedOverExperts(result) : result
  }

  /// `activation(gate) * up`, the halves of `x`.
  private func gate(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("experts", holding: x)
    let (gate, up) = try f.halves(x)
    let (first, second) = (f.local(gate), f.local(up))
    return f.leave(try f.multiply(try f.activate(first, activation), second))
  }
}

/// How many experts there are, how many a token goes to, and how wide they are.
struct ExpertSizes: Sendable {
  let count: Int
  let choices: Int
  let intermediate: Int

  /// How many of them a device has.
  ///
  /// - Throws: ``PlanError`` where devices cannot share them equally.
  func own(of mesh: Mesh) throws(PlanError) -> Int {
    guard count % max(1, mesh.expert) == 0 else {
      throw PlanError(
        .invalid, "\(count) experts cannot be shared equally by \(mesh.expert) devices",
        path: "strategies.expert_parallel.degree", fix: "Choose a degree that divides \(count).")
    }
    return count / max(1, mesh.expert)
  }

  /// Columns of an expert that each of so many devices has.
  func columns(ofEach ranks: Int) throws(PlanError) -> Int {
    guard intermediate % max(1, ranks) == 0 else {
      throw PlanError(
        .invalid, "\(intermediate) columns of an expert cannot be cut into \(ranks) equal parts",
        path: "strategies.tensor_parallel.degree",
        fix: "Choose a degree that divides \(intermediate).")
    }
    return intermediate / max(1, ranks)
  }

  /// What the workload's load is checked against.
  var routed: RoutedExperts { RoutedExperts(count: count, choices: choices) }

  /// What a config calls them.
  struct Keys {
    var count: String
    var intermediate: String
  }

  /// What a config that leaves them out means.
  struct Defaults {
    var count: Int
    var choices: Int
    var intermediate: Int
  }

  /// Reads them; throws where a token would go to more experts than there are.
  init(_ config: inout Settings, _ keys: Keys, default defaults: Defaults) throws(PlanError) {
    let other = keys.count == "num_local_experts" ? "num_experts" : "num_local_experts"
    count = try config.integer(keys.count, or: other, in: 1...100_000, default: defaults.count)
    choices = try config.integer(
      "num_experts_per_tok", in: 1...100_000, default: defaults.choices)
    intermediate = try config.integer(
      keys.intermediate, in: 1...10_000_000, default: defaults.intermediate)
    guard choices <= count else {
      throw PlanError(
        .invalid, "each token would go to \(choices) of \(count) experts",
        path: config.place("num_experts_per_tok"),
        fix: "Choose at most \(keys.count), which is \(count).")
    }
  }
}

extension Assumption {
  /// What a plan of a mixture of experts takes for granted.
  static let uniformExperts = Assumption(
    "experts",
    "experts as grouped matrix products, the default on CUDA: memory depends on all tokens "
      + "together, not on how they spread over the experts",
    source: "transformers 5.17, integrations/moe.py")
}

/// The values of a block that `torch.compile` keeps from forward to backward within a memory budget.
///
/// A budget of 1 keeps what makes the step fastest, 0 the block's inputs, as a checkpoint of the block does. In between
/// a knapsack keeps as many FLOPs as fit into that share of the bytes that 1 keeps beyond the inputs.
///
/// Source: `choose_saved_values_set` in PyTorch 2.11's `torch/_functorch/partitioners.py`, with
/// `activation_memory_budget_runtime_estimator="flops"` and `activation_memory_budget_solver="dp"`, its defaults.
struct SavedValues {
  let graph: JointGraph
  private let inputBytes: Double
  private let fastest: [Int]
  private let fastestBytes: Double
  private let less: [Int]
  private let least: [Int]
  /// Banned values that a budget may allow to be computed again, the largest first.
  private let items: [Int]
  private let knapsack: Knapsack

  init(_ graph: JointGraph) {
    self.graph = graph
    inputBytes = Self.size(graph.inputs, graph)
    fastest = MinCut(graph, .fastest).kept
    let most = Self.size(fastest, graph)
    fastestBytes = most
    less = MinCut(graph, .lessMemory).kept
    let cut = MinCut(graph, .leastMemory)
    least = cut.kept
    let banned = cut.banned.filter {
      graph.nodes[$0].distance < JointGraph.Node.never && graph.nodes[$0].part != .input
    }
    items = banned.enumerated().sorted {
      (-graph.nodes[$0.element].bytes, $0.offset) < (-graph.nodes[$1.element].bytes, $1.offset)
    }.map(\.element)
    let room = most - inputBytes
    knapsack = Knapsack(
      sizes: items.map { room > 0 ? Double(graph.nodes[$0].bytes) / 1e9 / room : 0 },
      worth: items.map { Float(max(graph.nodes[$0].flops, 1)) })
  }

  /// What a budget comes to.
  private enum Choice: Equatable {
    /// One of the sets that are known.
    case known([Int])
    /// A cut in which these banned values may be computed again.
    case again([Int])
  }

  /// The nodes to keep within a budget between 0 and 1.
  func kept(budget: Double) -> [Int] { kept(choice(budget)) }

  /// The nodes to keep within each of several budgets; a cut is found once for budgets in a row that share it.
  func kept(budgets: [Double]) -> [[Int]] {
    var last: (choice: Choice, kept: [Int])?
    return budgets.map { budget in
      let choice = choice(budget)
      if let last, last.choice == choice { return last.kept }
      let kept = kept(choice)
      last = (choice, kept)
      return kept
    }
  }

  private func choice(_ budget: Double) -> Choice {
    if budget <= 0 { return .known(graph.inputs) }
    if budget >= 1 || fastestBytes <= inputBytes { return .known(fastest) }
    if share(less) < budget { return .known(less) }
    if share(least) < budget { return .known(least) }
    if items.isEmpty { return .known(graph.inputs) }
    let chosen = knapsack.chosen(budget: budget)
    return .again(items.indices.filter { !chosen.contains($0) }.map { items[$0] })
  }

  private func kept(_ choice: Choice) -> [Int] {
    switch choice {
    case .known(let values): values
    case .again(let values): MinCut(graph, .leastMemory, allowing: Set(values)).kept
    }
  }

  /// Budgets from 1 down to 0 that keep different values, to a twentieth, and what they keep.
  func distinct() -> [Double: [Int]] {
    let budgets = (0...20).map { Double(20 - $0) / 20 }
    var distinct: [Double: [Int]] = [:]
    var last: [Int]?
    for (budget, values) in zip(budgets, kept(budgets: budgets)) {
      if values != last { distinct[budget] = values }
      last = values
    }
    return distinct
  }

  /// What share of the bytes that the fastest way keeps beyond the inputs these are.
  private func share(_ values: [Int]) -> Double {
    (Self.size(values, graph) - inputBytes) / (fastestBytes - inputBytes)
  }

  /// Gigabytes, as the partitioner counts them.
  private static func size(_ values: [Int], _ graph: JointGraph) -> Double {
    var bytes = 0.0
    for value in values { bytes += Double(graph.nodes[value].bytes) }
    return bytes / 1e9
  }
}

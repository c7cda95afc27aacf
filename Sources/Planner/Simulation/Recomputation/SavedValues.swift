/// The values of a block that `torch.compile` keeps from forward to backward within a memory budget.
///
/// A budget of 1 keeps what makes the step fastest, 0 the block's inputs, as a checkpoint of the block does. In between
/// a knapsack keeps as many FLOPs as fit into that share of the bytes that 1 keeps beyond the inputs.
///
/// Source: `choose_saved_values_set` in PyTorch 2.11's `torch/_functorch/partitioners.py`, with
/// `activation_memory_budget_runtime_estimator="flops"` and `activation_memory_budget_solver="dp"`, its defaults.
struct SavedValues {
  private let graph: JointGraph
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

  /// The nodes to keep within a budget between 0 and 1.
  func kept(budget: Double) -> [Int] {
    if budget <= 0 { return graph.inputs }
    if budget >= 1 || fastestBytes <= inputBytes { return fastest }
    if share(less) < budget { return less }
    if share(least) < budget { return least }
    if items.isEmpty { return graph.inputs }
    let chosen = knapsack.chosen(budget: budget)
    let again = items.indices.filter { !chosen.contains($0) }.map { items[$0] }
    return MinCut(graph, .leastMemory, allowing: Set(again)).kept
  }

  /// Budgets from 1 down to 0 that keep different values, to a twentieth.
  var distinctBudgets: [Double] {
    var budgets: [Double] = []
    var last: [Int] = []
    for step in 0...20 {
      let budget = Double(20 - step) / 20
      let values = kept(budget: budget)
      if budgets.isEmpty || values != last { budgets.append(budget) }
      last = values
    }
    return budgets
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

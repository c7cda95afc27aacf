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

  init(_ graph: JointGraph) {
    self.graph = graph
    inputBytes = Self.size(graph.inputs, graph)
    fastest = MinCut(graph, .fastest).kept
    fastestBytes = Self.size(fastest, graph)
  }

  /// The nodes to keep within a budget between 0 and 1.
  func kept(budget: Double) -> [Int] {
    if budget <= 0 { return graph.inputs }
    if budget >= 1 || fastestBytes <= inputBytes { return fastest }
    let less = MinCut(graph, .lessMemory).kept
    if share(less) < budget { return less }
    let least = MinCut(graph, .leastMemory)
    if share(least.kept) < budget { return least.kept }
    let items = least.banned.filter {
      graph.nodes[$0].distance < JointGraph.Node.never && graph.nodes[$0].part != .input
    }.enumerated().sorted {
      (-graph.nodes[$0.element].bytes, $0.offset) < (-graph.nodes[$1.element].bytes, $1.offset)
    }.map(\.element)
    if items.isEmpty { return graph.inputs }
    let chosen = Self.knapsack(
      items.map { Double(graph.nodes[$0].bytes) / 1e9 / (fastestBytes - inputBytes) },
      worth: items.map { Float(max(graph.nodes[$0].flops, 1)) }, budget: budget)
    let again = items.indices.filter { !chosen.contains($0) }.map { items[$0] }
    return MinCut(graph, .leastMemory, allowing: Set(again)).kept
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

  /// The items of the greatest worth that fit: a dynamic program over ten thousandths.
  ///
  /// Source: `dp_knapsack` in `torch/_functorch/_activation_checkpointing/knapsack.py`, which adds in fp32.
  static func knapsack(_ sizes: [Double], worth: [Float], budget: Double) -> Set<Int> {
    let slots = 10_000.0
    let width = Int((min(max(budget, 0), 1) * slots).rounded(.toNearestOrEven))
    // What does not fit alone takes more than everything.
    let sizes = sizes.map { Int(min(($0 * slots).rounded(.toNearestOrEven), slots + 1)) }
    var rows = [ContiguousArray<Float>(repeating: 0, count: width + 1)]
    for (size, worth) in zip(sizes, worth) {
      let before = rows[rows.count - 1]
      var row = before
      if size <= width {
        for at in size...width {
          row[at] = size == 0 ? before[at] + worth : max(before[at], before[at - size] + worth)
        }
      }
      rows.append(row)
    }
    var chosen: Set<Int> = []
    var at = width
    for item in sizes.indices.reversed() where rows[item + 1][at] != rows[item][at] {
      chosen.insert(item)
      at -= sizes[item]
    }
    return chosen
  }
}

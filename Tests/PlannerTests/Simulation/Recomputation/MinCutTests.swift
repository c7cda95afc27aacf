import Testing

@testable import Planner

@Suite("Minimum cuts") struct MinCutTests {
  /// The least that separates the sink from the source, over all ways to put the nodes on either side.
  private func exhaustive(_ edges: [(from: Int, to: Int, capacity: Double)], nodes: Int) -> (
    least: Double, smallestSinkSide: Int
  ) {
    var best = (least: Double.infinity, smallestSinkSide: 0)
    // Node 0 is the source, node 1 the sink; bit i: node i + 2 is on the sink's side.
    for sides in 0..<1 << (nodes - 2) {
      func isBehind(_ node: Int) -> Bool { node == 1 || node > 1 && sides >> (node - 2) & 1 == 1 }
      var cost = 0.0
      for edge in edges where !isBehind(edge.from) && isBehind(edge.to) { cost += edge.capacity }
      let size = sides.nonzeroBitCount
      if cost < best.least || cost == best.least && size < best.smallestSinkSide {
        best = (cost, size)
      }
    }
    return best
  }

  @Test("of small networks cost what the best of all divisions costs, and lie nearest to the sink")
  func networks() {
    for seed in 0..<400 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let nodes = Int.random(in: 3...8, using: &random)
      var edges: [(from: Int, to: Int, capacity: Double)] = []
      for _ in 0..<Int.random(in: nodes...3 * nodes, using: &random) {
        let (from, to) = (
          Int.random(in: 0..<nodes, using: &random), Int.random(in: 0..<nodes, using: &random)
        )
        let infinite = Int.random(in: 0..<6, using: &random) == 0
        guard from != to, from != 1, to != 0 else { continue }
        edges.append(
          (from, to, infinite ? .infinity : Double(Int.random(in: 1...5, using: &random))))
      }
      var network = FlowNetwork(nodes: nodes, source: 0, sink: 1)
      for edge in edges { network.connect(edge.from, edge.to, edge.capacity) }
      let best = exhaustive(edges, nodes: nodes)
      guard let behind = network.sinkSide() else {
        #expect(best.least == .infinity, "seed \(seed)")
        continue
      }
      var cost = 0.0
      for edge in edges where !behind[edge.from] && behind[edge.to] { cost += edge.capacity }
      #expect(cost == best.least, "seed \(seed)")
      #expect(behind.count { $0 } - 1 == best.smallestSinkSide, "seed \(seed)")
    }
  }

  /// A block of a few operators of all kinds, some of which backward reads.
  private func block(_ random: inout SplitMix) -> JointGraph {
    var graph = JointGraph()
    let inputs = Int.random(in: 1...2, using: &random)
    for _ in 0..<inputs {
      _ = graph.add("input", .input, bytes: Int.random(in: 1...9, using: &random))
    }
    let kinds: [JointGraph.Traits] = [
      .pointwise, .pointwise, .pointwise, .viewing, .intensive, [], .joins, [.fusible, .random],
    ]
    let operators = Int.random(in: 2...6, using: &random)
    for _ in 0..<operators {
      let count = graph.nodes.count
      let reads = Set(
        (0..<Int.random(in: 1...2, using: &random)).map { _ in
          Int.random(in: 0..<count, using: &random)
        })
      _ = graph.add(
        "operator", .claimed, kinds.randomElement(using: &random) ?? [],
        bytes: Int.random(in: 1...9, using: &random), inputs: reads.sorted())
    }
    let last = graph.nodes.count - 1
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let read = Int.random(in: 0...last, using: &random)
      _ = graph.add(
        "backward", .backward, Bool.random(using: &random) ? .pointwise : [], bytes: 0,
        inputs: [read])
    }
    graph.finish(results: [last])
    return graph
  }

  /// Whether backward finds or can compute all that it reads from what is kept, without running what is banned.
  private func suffices(_ kept: Set<Int>, _ graph: JointGraph, banned: Set<Int>) -> Bool {
    var open = graph.nodes.filter { $0.part == .backward }.flatMap(\.inputs)
    var seen: Set<Int> = []
    while let value = open.popLast() {
      guard !kept.contains(value), seen.insert(value).inserted else { continue }
      if banned.contains(value) { return false }
      open += graph.nodes[value].inputs
    }
    return true
  }

  @Test("of random blocks keep the least of all sets of values that suffice") func blocks() {
    for options in [MinCutOptions.fastest, .lessMemory, .leastMemory] {
      for seed in 0..<300 as Range<UInt64> {
        var random = SplitMix(state: seed)
        let graph = block(&random)
        let cut = MinCut(graph, options)
        let values = graph.nodes.indices.filter { graph.nodes[$0].part != .backward }
        let banned = Set(cut.banned)
        var least = Double.infinity
        for bits in 0..<1 << values.count {
          let kept = Set(values.indices.filter { bits >> $0 & 1 == 1 }.map { values[$0] })
          let cost = kept.reduce(0) { $0 + cut.weight($1) }
          if cost < least, suffices(kept, graph, banned: banned) { least = cost }
        }
        #expect(cut.kept.reduce(0) { $0 + cut.weight($1) } == least, "seed \(seed)")
        #expect(suffices(Set(cut.kept), graph, banned: banned), "seed \(seed)")
      }
    }
  }

  @Test("knapsacks hold the most of all choices that fit") func knapsacks() {
    for seed in 0..<60 as Range<UInt64> {
      var random = SplitMix(state: seed)
      let count = Int.random(in: 0...8, using: &random)
      // Ten thousandths, so that nothing is rounded.
      let sizes = (0..<count).map { _ in Double(Int.random(in: 0...6000, using: &random)) / 10_000 }
      let worth = (0..<count).map { _ in Float(Int.random(in: 1...50, using: &random)) }
      let budget = Double(Int.random(in: 0...10_000, using: &random)) / 10_000
      let chosen = Knapsack(sizes: sizes, worth: worth).chosen(budget: budget)
      var best: Float = 0
      for bits in 0..<1 << count {
        let items = (0..<count).filter { bits >> $0 & 1 == 1 }
        let slots = items.reduce(0) { $0 + Int((sizes[$1] * 10_000).rounded()) }
        if slots <= Int((budget * 10_000).rounded()) {
          best = max(best, items.reduce(0) { $0 + worth[$1] })
        }
      }
      #expect(chosen.reduce(0) { $0 + worth[$1] } == best, "seed \(seed)")
    }
  }
}

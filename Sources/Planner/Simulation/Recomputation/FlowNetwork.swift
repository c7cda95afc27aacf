/// A network of edges with capacities, and the least that separates its sink from its source.
///
/// Source: Dinic's algorithm (Dinitz 1970); by the theorem of Ford and Fulkerson (1956) a maximum flow saturates a
/// minimum cut.
struct FlowNetwork {
  /// Where each edge leads; the one after it, or before it where its number is odd, leads back.
  private var heads: ContiguousArray<Int32> = []
  private var left: ContiguousArray<Double> = []
  private let (nodes, source, sink): (Int, Int, Int)

  /// The edges of each node, side by side in the order in which they were added.
  private struct Adjacency {
    var starts: ContiguousArray<Int32>
    var edges: ContiguousArray<Int32>

    init(nodes: Int, _ heads: ContiguousArray<Int32>) {
      starts = .init(repeating: 0, count: nodes + 1)
      edges = .init(repeating: 0, count: heads.count)
      for edge in heads.indices { starts[Int(heads[edge ^ 1]) + 1] += 1 }
      for node in 0..<nodes { starts[node + 1] += starts[node] }
      var next = starts
      for edge in heads.indices {
        let node = Int(heads[edge ^ 1])
        edges[Int(next[node])] = Int32(truncatingIfNeeded: edge)
        next[node] += 1
      }
    }

    /// The places of a node's edges.
    subscript(_ node: Int) -> Range<Int> { Int(starts[node])..<Int(starts[node + 1]) }
  }

  /// A network of so many nodes without edges.
  init(nodes: Int, source: Int, sink: Int) {
    (self.nodes, self.source, self.sink) = (nodes, source, sink)
  }

  /// Adds an edge; its capacity may be infinite.
  mutating func connect(_ from: Int, _ to: Int, _ capacity: Double) {
    heads.append(Int32(truncatingIfNeeded: to))
    heads.append(Int32(truncatingIfNeeded: from))
    left.append(capacity)
    left.append(0)
  }

  /// Whether each node lies on the sink's side of the minimum cut that is nearest to the sink.
  ///
  /// Of all minimum cuts this is the one that `networkx.minimum_cut` gives: the nodes from which the sink can still be
  /// reached.
  ///
  /// - Returns: `nil` where a path of infinite capacity leads to the sink.
  mutating func sinkSide() -> [Bool]? {
    let adjacency = Adjacency(nodes: nodes, heads)
    var levels = ContiguousArray<Int32>()
    var next = ContiguousArray<Int32>()
    var list: ContiguousArray<Int32> = []
    while true {
      measure(&levels, adjacency, &list)
      guard levels[sink] >= 0 else { break }
      next = adjacency.starts
      while true {
        let pushed = push(levels, adjacency, &next, &list)
        if pushed == .infinity { return nil }
        if pushed == 0 { break }
      }
    }
    var reaches = Array(repeating: false, count: nodes)
    var open = [sink]
    reaches[sink] = true
    while let node = open.popLast() {
      for edge in adjacency.edges[adjacency[node]] where left[Int(edge ^ 1)] > 0 {
        let before = Int(heads[Int(edge)])
        guard !reaches[before] else { continue }
        reaches[before] = true
        open.append(before)
      }
    }
    return reaches
  }

  /// How far each node is from the source along edges that are not full; -1 where none leads there.
  ///
  /// - Parameter queue: Room for the nodes that were found.
  private func measure(
    _ levels: inout ContiguousArray<Int32>, _ adjacency: Adjacency,
    _ queue: inout ContiguousArray<Int32>
  ) {
    levels = .init(repeating: -1, count: nodes)
    queue.removeAll(keepingCapacity: true)
    queue.append(Int32(truncatingIfNeeded: source))
    levels[source] = 0
    var at = 0
    while at < queue.count {
      let node = Int(queue[at])
      at += 1
      for place in adjacency[node] {
        let edge = Int(adjacency.edges[place])
        guard left[edge] > 0, levels[Int(heads[edge])] < 0 else { continue }
        levels[Int(heads[edge])] = levels[node] + 1
        queue.append(heads[edge])
      }
    }
  }

  /// Pushes flow along one path of rising levels.
  ///
  /// - Parameters:
  ///   - next: The place of the edge of each node to try.
  ///   - path: Room for the path.
  private mutating func push(
    _ levels: ContiguousArray<Int32>, _ adjacency: Adjacency,
    _ next: inout ContiguousArray<Int32>, _ path: inout ContiguousArray<Int32>
  ) -> Double {
    path.removeAll(keepingCapacity: true)
    var node = source
    while node != sink {
      var advanced = false
      while next[node] < adjacency.starts[node + 1] {
        let edge = adjacency.edges[Int(next[node])]
        let to = Int(heads[Int(edge)])
        if left[Int(edge)] > 0, levels[to] == levels[node] + 1 {
          path.append(edge)
          node = to
          advanced = true
          break
        }
        next[node] += 1
      }
      if advanced { continue }
      guard let back = path.popLast() else { return 0 }
      node = Int(heads[Int(back ^ 1)])
      next[node] += 1
    }
    let amount = path.reduce(Double.infinity) { min($0, left[Int($1)]) }
    guard amount < .infinity else { return amount }
    for edge in path {
      left[Int(edge)] -= amount
      left[Int(edge ^ 1)] += amount
    }
    return amount
  }
}

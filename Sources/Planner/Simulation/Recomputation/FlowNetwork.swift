/// A network of edges with capacities, and the least that separates its sink from its source.
///
/// Source: Dinic's algorithm (Dinitz 1970); by the theorem of Ford and Fulkerson (1956) a maximum flow saturates a
/// minimum cut.
struct FlowNetwork {
  private var heads: ContiguousArray<Int32> = []
  private var left: ContiguousArray<Double> = []
  /// For each node its edges; an edge's reverse is its neighbour in `heads`.
  private var edges: ContiguousArray<ContiguousArray<Int32>>
  private let (source, sink): (Int, Int)

  /// A network of so many nodes without edges.
  init(nodes: Int, source: Int, sink: Int) {
    edges = .init(repeating: [], count: nodes)
    (self.source, self.sink) = (source, sink)
  }

  /// Adds an edge; its capacity may be infinite.
  mutating func connect(_ from: Int, _ to: Int, _ capacity: Double) {
    edges[from].append(Int32(truncatingIfNeeded: heads.count))
    edges[to].append(Int32(truncatingIfNeeded: heads.count + 1))
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
    while true {
      let levels = levels()
      guard levels[sink] >= 0 else { break }
      var next = ContiguousArray(repeating: 0, count: edges.count)
      while true {
        let pushed = push(levels, &next)
        if pushed == .infinity { return nil }
        if pushed == 0 { break }
      }
    }
    var reaches = Array(repeating: false, count: edges.count)
    var open = [sink]
    reaches[sink] = true
    while let node = open.popLast() {
      for edge in edges[node] where left[Int(edge ^ 1)] > 0 {
        let before = Int(heads[Int(edge)])
        guard !reaches[before] else { continue }
        reaches[before] = true
        open.append(before)
      }
    }
    return reaches
  }

  /// How far each node is from the source along edges that are not full; -1 where none leads there.
  private func levels() -> ContiguousArray<Int32> {
    var levels = ContiguousArray<Int32>(repeating: -1, count: edges.count)
    var queue = [source]
    var at = 0
    levels[source] = 0
    while at < queue.count {
      let node = queue[at]
      at += 1
      for edge in edges[node] where left[Int(edge)] > 0 && levels[Int(heads[Int(edge)])] < 0 {
        levels[Int(heads[Int(edge)])] = levels[node] + 1
        queue.append(Int(heads[Int(edge)]))
      }
    }
    return levels
  }

  /// Pushes flow along one path of rising levels; `next` says which edge of each node to try.
  private mutating func push(_ levels: ContiguousArray<Int32>, _ next: inout ContiguousArray<Int>)
    -> Double
  {
    var path: ContiguousArray<Int32> = []
    var node = source
    while node != sink {
      var advanced = false
      while next[node] < edges[node].count {
        let edge = edges[node][next[node]]
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

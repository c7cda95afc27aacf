/// The values to keep from a block's forward so that as few bytes as possible are kept, and nothing banned runs again.
///
/// Every value is an edge as wide as its bytes from "computed" to "available in backward"; what must not be computed
/// again hangs on the source, what backward reads on the sink, and the minimum cut is what to keep. A value counts a
/// tenth more for each step that it is away from backward, and twice where no kernel would write it to memory otherwise.
///
/// Source: `solve_min_cut` in PyTorch 2.11's `torch/_functorch/partitioners.py`.
struct MinCut {
  private let graph: JointGraph
  private let options: MinCutOptions
  /// What may be computed again although it is banned.
  private let allowed: Set<Int>
  private var isBanned: [Bool]

  /// The values kept, in the order of the graph.
  private(set) var kept: [Int] = []
  /// What must not be computed again, in the order in which it was banned.
  private(set) var banned: [Int] = []

  init(_ graph: JointGraph, _ options: MinCutOptions, allowing allowed: Set<Int> = []) {
    (self.graph, self.options, self.allowed) = (graph, options, allowed)
    isBanned = Array(repeating: false, count: graph.nodes.count)
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      if node.part == .input || node.part == .claimed && mustNotRunAgain(index) { ban(index) }
    }
    if options.usedFarApart { banUsedFarApart() }
    if options.longChains { banLongChains() }
    kept = cut()
  }

  private mutating func ban(_ index: Int) {
    guard !graph.nodes[index].traits.contains(.view), !allowed.contains(index), !isBanned[index]
    else { return }
    isBanned[index] = true
    banned.append(index)
  }

  /// `should_ban_recomputation`.
  private func mustNotRunAgain(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    if node.traits.contains(.element) { return false }
    if options.unlisted {
      if !node.traits.contains(.listed) { return true }
    } else if !node.traits.isDisjoint(with: [.random, .intensive]) {
      return true
    }
    if options.materializedBackward, isMaterializedBackward(index) { return true }
    if node.distance < 1000, node.distance > Self.farthest { return true }
    // A result four times smaller than what it is made from is cheap to keep.
    guard !node.traits.contains(.joins) else { return false }
    var read = 0.0
    for input in node.inputs { read += Double(graph.nodes[input].bytes) }
    return Double(node.bytes) * 4 < read
  }

  /// `max_dist_from_bw` of `torch/_functorch/config.py`, which never applies as it stands.
  private static let farthest = 1000

  /// Whether backward reads the value, or a view of it, in an operator of its own.
  private func isMaterializedBackward(_ index: Int) -> Bool {
    guard !graph.nodes[index].traits.contains(.view) else { return false }
    var open = [index]
    var seen: Set = [index]
    while let node = open.popLast() {
      for user in graph.nodes[node].users {
        if !graph.nodes[user].isForward, !graph.fuses(node, user) { return true }
        if graph.nodes[user].traits.contains(.view), seen.insert(user).inserted {
          open.append(user)
        }
      }
    }
    return false
  }

  /// The operators that read forward values in forward.
  private func readers(_ index: Int) -> [Int] {
    graph.nodes[index].users.filter { graph.nodes[$0].isForward }
  }

  private mutating func banUsedFarApart() {
    for index in graph.nodes.indices where graph.nodes[index].isForward {
      let readers = readers(index)
      guard let last = readers.map({ graph.nodes[$0].order }).max() else { continue }
      let end = firstUnfusible(readers, upTo: last)
      for reader in readers
      where graph.nodes[reader].order > end && graph.fuses(index, reader) { ban(reader) }
    }
  }

  /// The place of the first operator behind `start` that cannot be fused with what it reads.
  private func firstUnfusible(_ start: [Int], upTo last: Int) -> Int {
    var open: [(order: Int, node: Int, fuses: Bool)] = start.map {
      (graph.nodes[$0].order, $0, true)
    }
    while let at = open.indices.min(by: {
      (open[$0].order, open[$0].fuses ? 1 : 0) < (open[$1].order, open[$1].fuses ? 1 : 0)
    }) {
      let next = open.remove(at: at)
      if !next.fuses { return next.order }
      for user in readers(next.node) where graph.nodes[user].order <= last {
        let entry = (graph.nodes[user].order, user, graph.fuses(next.node, user))
        if !open.contains(where: { $0 == entry }) { open.append(entry) }
      }
    }
    return last
  }

  private mutating func banLongChains() {
    var visited = Array(repeating: false, count: graph.nodes.count)
    for start in graph.nodes.indices where graph.nodes[start].isForward {
      var open = [start]
      while let at = open.indices.min(by: {
        graph.nodes[open[$0]].order < graph.nodes[open[$1]].order
      }) {
        let node = open.remove(at: at)
        guard !visited[node] else { continue }
        visited[node] = true
        if graph.nodes[node].order > graph.nodes[start].order + Self.longest, open.isEmpty {
          ban(node)
          break
        }
        for user in readers(node) where graph.fuses(node, user) && !isBanned[user] {
          open.append(user)
        }
      }
    }
  }

  /// Source: `solve_min_cut`, "100 is arbitrary choice to try and prevent degenerate cases".
  private static let longest = 100

  /// The minimum cut; nothing where no cut is finite.
  private func cut() -> [Int] {
    let (source, sink) = (2 * graph.nodes.count, 2 * graph.nodes.count + 1)
    var network = FlowNetwork(nodes: sink + 1, source: source, sink: sink)
    for index in graph.nodes.indices {
      let node = graph.nodes[index]
      guard node.part != .backward else {
        network.connect(2 * index, sink, .infinity)
        continue
      }
      if isBanned[index] { network.connect(source, 2 * index, .infinity) }
      network.connect(2 * index, 2 * index + 1, weight(index))
      for user in node.users { network.connect(2 * index + 1, 2 * user, .infinity) }
    }
    guard let reaches = network.sinkSide() else { return [] }
    return graph.nodes.indices.filter {
      graph.nodes[$0].part != .backward && !reaches[2 * $0] && reaches[2 * $0 + 1]
    }
  }

  /// `get_node_weight`.
  func weight(_ index: Int) -> Double {
    let node = graph.nodes[index]
    guard !node.traits.contains(.several) else { return .infinity }
    let bytes = (Double(node.bytes) * Self.factors[max(min(node.distance, 100), 1)])
      .rounded(.towardZero)
    let materialized =
      node.part == .input || node.users.allSatisfy { graph.fuses(index, $0) } == false
    return materialized ? bytes : 2 * bytes
  }

  /// Powers of 1.1.
  private static let factors: [Double] = {
    var powers = [1.0]
    for _ in 0..<100 { powers.append(powers[powers.count - 1] * 1.1) }
    return powers
  }()
}

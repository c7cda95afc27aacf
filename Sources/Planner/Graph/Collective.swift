/// What devices do together.
enum Collective: Int, Hashable, Sendable, CaseIterable {
  case allGather, reduceScatter, allReduce, allToAll, pointToPoint

  /// The key in the JSON report.
  var key: String {
    switch self {
    case .allGather: "all_gather"
    case .reduceScatter: "reduce_scatter"
    case .allReduce: "all_reduce"
    case .allToAll: "all_to_all"
    case .pointToPoint: "point_to_point"
    }
  }

  /// The share of a payload that each of `ranks` devices sends in a ring.
  ///
  /// Source: Thakur, Rabenseifner and Gropp 2005; NCCL's `busbw` in nccl-tests' `PERFORMANCE.md`.
  func share(of ranks: Int) -> Double {
    guard ranks > 1 else { return 0 }
    let part = Double(ranks - 1) / Double(ranks)
    return switch self {
    case .allReduce: 2 * part
    case .allGather, .reduceScatter, .allToAll: part
    case .pointToPoint: 1
    }
  }
}

/// What an operation exchanges with other devices.
struct Exchange: Hashable, Sendable {
  let collective: Collective
  /// Bytes of the whole tensor that the devices put together, take apart or add up.
  let payload: Int
  /// How many devices.
  let ranks: Int
}

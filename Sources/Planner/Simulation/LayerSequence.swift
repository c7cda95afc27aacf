/// What one layer runs, and what is kept of it for backward.
struct LayerKind: Hashable, Sendable {
  /// The section of the program.
  var section: Int
  /// What backward finds.
  var retention = Retention.keep
}

/// What a layer keeps from forward to backward.
public enum Retention: Hashable, Sendable {
  /// Everything that autograd saves.
  case keep
  /// Its input; the rest is recomputed (`torch.utils.checkpoint`).
  case recompute(reentrant: Bool)
  /// Its input and the results of some operators; the rest is recomputed.
  case selective(SavedOperations)
  /// What a minimum cut chooses within a memory budget from 0 to 1; the rest is computed again where it is read.
  case minCut(budget: Double)

  /// Whether matrix products that add a bias run again in backward.
  var addsBiasAgain: Bool {
    switch self {
    // Of minimum cuts ``Tape/cutsAddBiasAgain()`` says.
    case .keep, .minCut: false
    case .recompute: true
    case .selective(let operations): !operations.names.contains(.addmm)
    }
  }
}

/// The layers of a stack in order, as repeated cycles of runs of equal layers.
struct LayerSequence: Hashable, Sendable {
  /// `count` repetitions of `runs`.
  struct Cycle: Hashable, Sendable {
    var runs: [Run]
    var count: Int
    /// Layers in one repetition.
    var length: Int { runs.reduce(0) { $0 + $1.count } }
  }

  /// `count` equal layers.
  struct Run: Hashable, Sendable {
    var kind: LayerKind
    var count: Int
  }

  private(set) var cycles: [Cycle] = []

  /// Lays the pattern of a model's sections over the pieces of a retention.
  ///
  /// - Parameters:
  ///   - sections: The model's pattern, repeated over all layers: `[1]`, or `[1, 2]` for alternating ones.
  ///   - leading: Layers ahead of the pattern, which begins behind them.
  ///   - retention: Pieces in order, each a pattern of its own for so many layers.
  init(sections: [Int], leading: LeadingLayers? = nil, retention: [RetentionPiece]) {
    var ahead = leading?.count ?? 0
    var at = 0
    for piece in retention {
      let first = min(ahead, piece.layers)
      if let leading { lay([leading.section], from: 0, first, of: piece, from: 0) }
      lay(sections, from: at, piece.layers - first, of: piece, from: first)
      ahead -= first
      at += piece.layers - first
    }
  }

  /// Adds `layers` layers: the pattern of sections from `at` on, the piece's retentions from `begin` on.
  private mutating func lay(
    _ sections: [Int], from at: Int, _ layers: Int, of piece: RetentionPiece, from begin: Int
  ) {
    guard layers > 0, !piece.pattern.isEmpty, !sections.isEmpty else { return }
    let period = Self.leastCommonMultiple(sections.count, piece.pattern.count)
    func kinds(_ range: Range<Int>) -> [LayerKind] {
      range.map {
        LayerKind(
          section: sections[(at + $0) % sections.count],
          retention: piece.pattern[(begin + $0) % piece.pattern.count])
      }
    }
    let whole = layers / period
    if whole > 0 { append(kinds(0..<period), count: whole) }
    if layers % period > 0 { append(kinds(whole * period..<layers), count: 1) }
  }

  private mutating func append(_ kinds: [LayerKind], count: Int) {
    var runs: [Run] = []
    for kind in kinds {
      if let last = runs.last, last.kind == kind {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(Run(kind: kind, count: 1))
      }
    }
    if runs.count == 1 {
      // A cycle of equal layers is one run.
      cycles.append(Cycle(runs: [Run(kind: runs[0].kind, count: runs[0].count * count)], count: 1))
    } else {
      cycles.append(Cycle(runs: runs, count: count))
    }
  }

  private static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return a / x * b
  }
}

/// A retention for some layers in a row.
public struct RetentionPiece: Hashable, Sendable {
  /// Repeated over the layers.
  var pattern: [Retention]
  /// How many layers.
  var layers: Int
}

extension [RetentionPiece] {
  /// The same with neighbours of one pattern as one piece, and without empty ones.
  var joined: [RetentionPiece] {
    var pieces: [RetentionPiece] = []
    for piece in self where piece.layers > 0 {
      if let last = pieces.last, last.pattern == piece.pattern, piece.pattern.count == 1 {
        pieces[pieces.count - 1].layers += piece.layers
      } else {
        pieces.append(piece)
      }
    }
    return pieces
  }

  /// The retentions of `layers` layers from layer `start` on: what one of several stacks keeps.
  func slice(from start: Int, layers: Int) -> [RetentionPiece] {
    var pieces: [RetentionPiece] = []
    var (skipped, left) = (start, layers)
    for piece in self {
      let ahead = Swift.min(skipped, piece.layers)
      let taken = Swift.min(left, piece.layers - ahead)
      skipped -= ahead
      left -= taken
      guard taken > 0, !piece.pattern.isEmpty else { continue }
      let turn = ahead % piece.pattern.count
      pieces.append(
        RetentionPiece(
          pattern: [Retention](piece.pattern[turn...] + piece.pattern[..<turn]), layers: taken))
    }
    return pieces
  }
}

/// The layers of one stack, as the tape runs them.
struct LayerRuns: Hashable, Sendable {
  var sequence: LayerSequence
  /// The number of its first layer, where layers are counted through all stacks.
  var first = 0
  /// See ``LayerStack/sharesGradients``.
  var sharesGradients = false

  /// The kinds of its layers, repeated ones once.
  var kinds: [LayerKind] { sequence.cycles.flatMap { $0.runs.map(\.kind) } }

  /// The stacks of a model, each with its part of what is kept.
  static func all(of graph: LayerGraph, retention: [RetentionPiece]) -> [LayerRuns] {
    var first = 0
    return graph.stacks.map { stack in
      defer { first += stack.layers }
      return LayerRuns(
        sequence: LayerSequence(
          sections: stack.pattern, leading: stack.leading,
          retention: retention.slice(from: first, layers: stack.layers)),
        first: graph.firstLayer + first, sharesGradients: stack.sharesGradients)
    }
  }
}

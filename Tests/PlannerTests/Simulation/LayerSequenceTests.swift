import Testing

@testable import Planner

@Suite("The order of a model's layers") struct LayerSequenceTests {
  /// Every layer in order, without cycles and runs.
  private func unrolled(_ sequence: LayerSequence) -> [LayerKind] {
    var kinds: [LayerKind] = []
    for cycle in sequence.cycles {
      for _ in 0..<cycle.count {
        for run in cycle.runs { kinds += Array(repeating: run.kind, count: run.count) }
      }
    }
    return kinds
  }

  @Test("falls into stacks that together are the whole") func stacks() {
    var g = SplitMix(state: 2)
    for seed in 0..<500 {
      var pieces: [RetentionPiece] = []
      for _ in 0..<Int.random(in: 1...3, using: &g) {
        let pattern = (0..<Int.random(in: 1...3, using: &g)).map { _ in
          Bool.random(using: &g) ? Retention.keep : .recompute(reentrant: false)
        }
        pieces.append(
          RetentionPiece(pattern: pattern, layers: Int.random(in: 0...9, using: &g)))
      }
      let layers = pieces.reduce(0) { $0 + $1.layers }
      let whole = unrolled(LayerSequence(sections: [1], retention: pieces))
      let cut = Int.random(in: 0...layers, using: &g)
      let parts = [
        pieces.slice(from: 0, layers: cut), pieces.slice(from: cut, layers: layers - cut),
      ]
      let joined = parts.flatMap { unrolled(LayerSequence(sections: [1], retention: $0)) }
      #expect(joined == whole, "seed \(seed)")
    }
  }

  @Test("is the leading layers, the pattern behind them, and the retentions over both")
  func leading() {
    var g = SplitMix(state: 1)
    for seed in 0..<500 {
      let pattern = (0..<Int.random(in: 1...4, using: &g)).map { _ in
        Int.random(in: 2...3, using: &g)
      }
      let ahead = Int.random(in: 0...6, using: &g)
      var expected: [LayerKind] = []
      var pieces: [RetentionPiece] = []
      for _ in 0..<Int.random(in: 1...3, using: &g) {
        let retentions = (0..<Int.random(in: 1...3, using: &g)).map { _ in
          Bool.random(using: &g) ? Retention.keep : .recompute(reentrant: false)
        }
        let layers = Int.random(in: 0...9, using: &g)
        pieces.append(RetentionPiece(pattern: retentions, layers: layers))
        for index in 0..<layers {
          let at = expected.count
          let section = at < ahead ? 1 : pattern[(at - ahead) % pattern.count]
          let retention = retentions[index % retentions.count]
          expected.append(LayerKind(section: section, retention: retention))
        }
      }
      let sequence = LayerSequence(
        sections: pattern, leading: LeadingLayers(section: 1, count: ahead), retention: pieces)
      #expect(unrolled(sequence) == expected, "seed \(seed)")
    }
  }
}

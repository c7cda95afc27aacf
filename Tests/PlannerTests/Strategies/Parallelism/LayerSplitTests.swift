import Testing

@testable import Planner

@Suite("Layers shared among stages") struct LayerSplitTests {
  private func counts(_ split: LayerSplit, _ layers: Int, _ stages: Int) throws -> [Int] {
    try split.parts(layers: layers, stages: stages).map(\.layers.count)
  }

  @Test("go to the first stages where they do not go evenly") func even() throws {
    #expect(try counts(LayerSplit(), 32, 4) == [8, 8, 8, 8])
    #expect(try counts(LayerSplit(), 7, 3) == [3, 2, 2])
  }

  @Test("make room for embedding and head") func weights() throws {
    // Llama 3.1 405B: 126 layers and two places over 16 stages (Llama 3 herd of models, section 3.3.2).
    let split = LayerSplit(countsEmbedding: true, countsHead: true)
    #expect(try counts(split, 126, 16) == [7] + Array(repeating: 8, count: 14) + [7])
  }

  @Test("can be given for the ends") func ends() throws {
    #expect(try counts(LayerSplit(first: 2, last: 3), 15, 4) == [2, 5, 5, 3])
  }

  @Test("can be given one by one, and must add up") func list() throws {
    #expect(try counts(LayerSplit(layers: [2, 4, 2]), 8, 3) == [2, 4, 2])
    #expect(throws: PlanError.self) { try counts(LayerSplit(layers: [2, 4, 3]), 8, 3) }
    #expect(throws: PlanError.self) { try counts(LayerSplit(layers: [4, 4]), 8, 3) }
  }

  @Test("must be enough") func few() {
    #expect(throws: PlanError.self) { try counts(LayerSplit(), 3, 4) }
    #expect(throws: PlanError.self) { try counts(LayerSplit(first: 9), 8, 2) }
  }

  @Test("follow each other, with the embedding first and the head last") func order() throws {
    let parts = try LayerSplit().parts(layers: 10, stages: 3)
    #expect(parts.map(\.layers) == [0..<4, 4..<7, 7..<10])
    #expect(parts.map(\.hasEmbedding) == [true, false, false])
    #expect(parts.map(\.hasHead) == [false, false, true])
  }
}

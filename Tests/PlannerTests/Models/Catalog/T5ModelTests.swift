import Testing

@testable import Planner

@Suite("The catalog's encoders with decoders") struct T5ModelTests {
  static let models = ModelCatalog.all.filter { $0.config["model_type"] == "t5" }

  @Test("have sizes that add up to the parameter count", arguments: models.map(\.id))
  func parameters(id: String) throws {
    let model = try #require(ModelCatalog.named(id))
    func size(_ key: String) throws -> Int { try #require(model.config.integer(key)) }
    let (hidden, heads) = (try size("d_model"), try size("num_heads"))
    let attention = try 4 * hidden * heads * size("d_kv")
    let feedForward = try 2 * hidden * size("d_ff")
    let encoder = try size("num_layers") * (attention + feedForward + 2 * hidden)
    let decoder = try size("num_decoder_layers") * (2 * attention + feedForward + 3 * hidden)
    let biases = 2 * 32 * heads
    let table = try size("vocab_size") * hidden
    #expect(encoder + decoder + biases + table + 2 * hidden == model.parameters)
  }

  @Test("are all there") func count() { #expect(Self.models.count == 5) }
}

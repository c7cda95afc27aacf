import Testing

@testable import Planner

@Suite("Configs of T5") struct T5FamilyTests {
  private func report(
    _ config: JSONValue = [:], workload: JSONValue = [:], scenario: JSONValue = [:]
  ) throws(PlanError) -> Report {
    let sizes: JSONValue = ["micro_batch_size": 2, "sequence_length": 64]
    let base: JSONValue = [
      "model": JSONValue(["model_type": "t5"] as JSONValue, and: config),
      "workload": JSONValue(sizes, and: workload),
    ]
    return try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(JSONValue(base, and: scenario)))
  }

  private func path(
    _ config: JSONValue = [:], workload: JSONValue = [:], scenario: JSONValue = [:]
  ) -> String? {
    do {
      _ = try report(config, workload: workload, scenario: scenario)
      return nil
    } catch { return error.path }
  }

  @Test("may leave every key out: that is t5-small") func defaults() throws {
    #expect(try report().parameters == 60_506_624)
  }

  @Test("have a head of their own where the tables are not tied") func untied() throws {
    let untied = try report(["tie_word_embeddings": false])
    #expect(untied.parameters == 60_506_624 + 32_128 * 512)
    #expect(untied.assumptions.contains { $0.text.contains("not tied") })
  }

  @Test("may have a gate and stacks of different depth") func shape() throws {
    let decoderLayer = 8 * 512 * 512 + 2 * 512 * 2048 + 3 * 512
    #expect(
      try report(["num_decoder_layers": 2]).parameters == 60_506_624 - 4 * decoderLayer)
    #expect(
      try report(["feed_forward_proj": "gated-gelu"]).parameters
        == 60_506_624 + 12 * 512 * 2048)
  }

  @Test("let the decoder write as much as the encoder reads unless told") func target() throws {
    let same = try report(workload: ["target_sequence_length": 64])
    #expect(try report().phases.map(\.live) == same.phases.map(\.live))
    let short = try report(workload: ["target_sequence_length": 16])
    #expect(short.phases[0].live < same.phases[0].live)
    #expect(
      try report().assumptions.contains { $0.text == "as many decoder tokens as encoder tokens" })
  }

  @Test("name the place of what cannot be planned") func refused() {
    #expect(path(["is_encoder_decoder": false]) == "model.is_encoder_decoder")
    #expect(path(["feed_forward_proj": "gated-gulu"]) == "model.feed_forward_proj")
    #expect(path(workload: ["target_sequence_length": 0]) == "workload.target_sequence_length")
    #expect(path(scenario: ["precision": "16-true"]) == "precision")
    #expect(path(scenario: ["loss": ["implementation": "chunked"]]) == "loss.implementation")
    #expect(
      path(scenario: ["strategies": ["checkpointing": ["reentrant": true]]])
        == "strategies.checkpointing.reentrant")
    #expect(
      path(["model_type": "llama"], workload: ["target_sequence_length": 5])
        == "workload.target_sequence_length")
    #expect(path(workload: ["experts": ["imbalance": 2]]) == "workload.experts")
  }

  @Test("call a layer by its stack") func names() throws {
    let report = try report(
      ["dropout_rate": 0], scenario: ["strategies": ["checkpointing": [:]], "attention": "eager"])
    let places = report.phases.map(\.operation).filter { $0.contains("layer ") }
    for place in places { #expect(place.hasPrefix("encoder ") || place.hasPrefix("decoder ")) }
  }
}

extension JSONValue {
  /// The members of both objects; those of `other` replace equal ones.
  fileprivate init(_ value: JSONValue, and other: JSONValue) {
    guard case .object(let first) = value, case .object(let second) = other else {
      self = value
      return
    }
    self = .object(first.filter { member in !second.contains { $0.key == member.key } } + second)
  }
}

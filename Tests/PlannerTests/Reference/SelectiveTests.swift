import Testing

@testable import Planner

/// Selective checkpoints: `checkpoint_wrapper` with `create_selective_checkpoint_contexts`.
@Suite("PyTorch's own figures for selective checkpoints") struct SelectiveTests {
  static let cases = Fixtures.cases("selective")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 23) }
}

@Suite("Selective checkpoints") struct SelectiveCheckpointTests {
  private func plan(_ checkpointing: JSONValue, layers: Int = 5) throws -> Report {
    try Planner.plan(
      try CheckpointSearchTests.scenario(
        ["model_type": "llama", "num_hidden_layers": .integer(layers)],
        strategies: ["checkpointing": checkpointing]), .tensors)
  }

  @Test("keeping nothing is checkpointing layer by layer") func nothing() throws {
    let selective = try plan(["policy": "selective", "operations": []])
    let first = try plan(["policy": "first", "layers": 5])
    #expect(selective.phases == first.phases && selective.recompute == first.recompute)
  }

  @Test("keeping every product and attention recomputes no FLOPs") func everything() throws {
    let report = try plan([
      "policy": "selective", "operations": ["mm", "attention"], "early_stop": false,
    ])
    #expect(report.recompute.flopsFraction == 0 && report.recompute.timeFraction > 0)
  }

  @Test("torchtitan's list recomputes every second product, counted by hand") func torchtitan()
    throws
  {
    // Llama's seven products in order: q, k, v, o, gate, up, down; k, o and up are recomputed.
    let report = try plan([
      "policy": "selective", "operations": "torchtitan", "early_stop": false,
    ])
    let (tokens, hidden, inner, vocabulary) = (2.0 * 1024, 4096.0, 11008.0, 32000.0)
    let again = 2 * tokens * (2 * hidden * hidden + hidden * inner)
    // Attention over half the scores: two products forward, five backward.
    let attention = 2 * 2.0 * 32 * 1024 * 1024 * 128
    let layer = 3 * 2 * tokens * (4 * hidden * hidden + 3 * hidden * inner) + 3.5 * attention
    let step = 5 * layer + 3 * 2 * tokens * hidden * vocabulary
    #expect(abs(report.recompute.flopsFraction / (5 * again / step) - 1) < 1e-9)
  }

  @Test("a list of layers is the same as the policy that names them") func layers() throws {
    let list = try plan(["policy": "layers", "layers": [0, 2, 4, 2, 900]])
    let every = try plan(["policy": "every", "interval": 2])
    #expect(list.phases == every.phases && list.recompute == every.recompute)
    let first = try plan(["policy": "layers", "layers": [0, 1, 2]])
    #expect(first.phases == (try plan(["policy": "first", "layers": 3])).phases)
    #expect(try plan(["policy": "layers", "layers": []]).recompute.flopsFraction == 0)
  }

  @Test(
    "says what is wrong",
    arguments: [
      (["policy": "selective"], "strategies.checkpointing.operations"),
      (["policy": "selective", "operations": ["mn"]], "strategies.checkpointing.operations"),
      (["policy": "selective", "operations": "all"], "strategies.checkpointing.operations"),
      (
        ["policy": "selective", "operations": [], "reentrant": true],
        "strategies.checkpointing.reentrant"
      ),
      (["policy": "layers"], "strategies.checkpointing.layers"),
      (["policy": "auto", "budget": "18"], "strategies.checkpointing.budget"),
    ] as [(JSONValue, String)])
  func mistakes(checkpointing: JSONValue, path: String) {
    #expect {
      try plan(checkpointing)
    } throws: { ($0 as? PlanError)?.path == path }
  }

  @Test("auto is the recommended plan, and the least where none fits") func auto() throws {
    for gibibytes in [20, 24, 26, 30] {
      let scenario = try CheckpointSearchTests.scenario(
        strategies: ["lora": ["rank": 8]], batch: 16)
      let table = try Planner.checkpoints(for: scenario, budget: Bytes(gibibytes << 30))
      var auto = scenario
      auto.strategies.append(ActivationCheckpointing(.auto(budget: Bytes(gibibytes << 30))))
      let report = try Planner.plan(auto, .tensors)
      #expect(report.peak.live == (table.recommended ?? table.least).plan.live)
      #expect(report.assumptions.contains { $0.name == "checkpointing" })
    }
  }
}

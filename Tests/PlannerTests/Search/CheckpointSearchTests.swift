import Testing

@testable import Planner

@Suite("The choice of a checkpointing policy") struct CheckpointSearchTests {
  static func scenario(
    _ model: JSONValue = ["model_type": "llama", "num_hidden_layers": 9],
    device: JSONValue = "a100-80gb-sxm", strategies: JSONValue = [:], batch: Int = 2
  ) throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no files here", path: path, fix: "")
    }.read([
      "schema": 1, "model": model,
      "workload": ["micro_batch_size": .integer(batch), "sequence_length": 1024],
      "strategies": strategies, "hardware": ["device": device],
    ])
  }

  static let models: [JSONValue] = [
    ["model_type": "llama", "num_hidden_layers": 9],
    ["model_type": "llama", "num_hidden_layers": 1],
    ["model_type": "gemma3_text", "num_hidden_layers": 13],
    ["model_type": "gpt2", "n_layer": 7],
  ]

  @Test("every printed plan has the simulator's peak, to the byte", arguments: models.indices)
  func peaks(index: Int) throws {
    let scenario = try Self.scenario(
      Self.models[index],
      strategies: index == 0 ? ["lora": ["rank": 8], "checkpointing": ["early_stop": false]] : [:])
    let table = try Planner.checkpoints(for: scenario)
    for plan in table.plans {
      var alone = scenario
      alone.strategies.removeAll { $0 is ActivationCheckpointing }
      alone.strategies.append(plan.checkpointing)
      let report = try Planner.plan(alone, .tensors)
      #expect(plan.live == report.peak.live && plan.phase == report.peak.phase)
      #expect(plan.recompute == report.recompute)
    }
  }

  @Test("every number of first layers and every interval is there") func complete() {
    let policies = CheckpointSearch.policies(9)
    for layers in 1...9 { #expect(policies.contains(.first(layers))) }
    #expect(policies.filter { if case .every = $0 { true } else { false } }.count == 3)
    #expect(policies.first == ActivationCheckpointing.Policy.none && policies.contains(.full))
    #expect(CheckpointSearch.policies(0) == [.none, .full])
  }

  @Test("the recommended plan is the fastest of all that fit, tried one by one")
  func fastest() throws {
    for gibibytes in [8, 9, 10, 11, 12, 14, 16, 20] {
      let scenario = try Self.scenario(strategies: ["lora": ["rank": 8]], batch: 4)
      let table = try Planner.checkpoints(for: scenario, budget: Bytes(gibibytes << 30))
      var limited = scenario
      limited.device.memory = Bytes(gibibytes << 30)
      var best: Double?
      for plan in table.plans {
        var alone = limited
        alone.strategies.append(plan.checkpointing)
        guard try Planner.plan(alone).fits else { continue }
        best = min(best ?? plan.seconds, plan.seconds)
      }
      #expect(table.recommended?.plan.seconds == best)
      if let chosen = table.recommended {
        #expect(chosen.report.fits && chosen.report.need.count <= gibibytes << 30)
      }
      if let spare = table.withSlack {
        #expect(spare.report.need.count <= (gibibytes << 30) / 10 * 9 + 1)
      }
    }
  }

  @Test("no plan beats one on the front") func front() throws {
    let table = try Planner.checkpoints(for: try Self.scenario())
    #expect(!table.front.isEmpty)
    for kept in table.front {
      for other in table.plans {
        #expect(other.live >= kept.live || other.seconds > kept.seconds)
      }
    }
  }

  @Test("says where the optimizer's step decides, and what would help") func optimizerDecides()
    throws
  {
    let table = try Planner.checkpoints(
      for: try Self.scenario(device: "rtx-4090", batch: 1))
    #expect(table.limit == .optimizer)
    let logits = try Planner.checkpoints(
      for: try Self.scenario(
        ["model_type": "llama", "num_hidden_layers": 1, "vocab_size": 256_000],
        strategies: ["lora": ["rank": 8]], batch: 8))
    #expect(logits.limit == .outsideLayers)
  }
}

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

  static let bounded: [(model: JSONValue, strategies: JSONValue)] = [
    (["model_type": "llama", "num_hidden_layers": 9], [:]),
    (["model_type": "llama", "num_hidden_layers": 9], ["lora": ["rank": 8]]),
    (["model_type": "gpt2", "n_layer": 7], [:]),
    (["model_type": "qwen3", "num_hidden_layers": 6], ["fsdp": ["shards": 8]]),
  ]

  @Test(
    "no plan is faster than the bound for its memory, selective ones included", arguments: 0..<4)
  func bound(index: Int) throws {
    let (model, strategies) = Self.bounded[index]
    let scenario = try Self.scenario(model, strategies: strategies, batch: 4)
    let table = try Planner.checkpoints(for: scenario)
    let options =
      [.none, .full]
      + table.selective.map { plan -> LayerOption in
        guard case .selective(let operations, _) = plan.checkpointing.policy else { return .full }
        return .selective(operations)
      }
    let bound = try #require(
      try CheckpointBound(
        CheckpointSearch(scenario), options: options, layers: table.layers,
        seconds: table.plans.map { $0.seconds / (1 + $0.recompute.timeFraction) }.max() ?? 0,
        most: table.without.live))
    #expect(bound.fraction(within: table.without.live) == 0)
    for plan in table.plans + table.selective.filter({ $0.live <= table.without.live }) {
      let least = try #require(bound.fraction(within: plan.live))
      #expect(least <= plan.recompute.timeFraction + 1e-9, "\(plan.checkpointing.label)")
    }
    // With frozen weights the least memory of whole layers is near the best of all schedules.
    let least = try #require(table.least.bound)
    if index == 1 { #expect(least > 0.8 * table.least.plan.recompute.timeFraction) }
    #expect(bound.fraction(within: Bytes(1 << 20)) == nil)
  }

  @Test("there is no bound where layers differ") func unbounded() throws {
    let table = try Planner.checkpoints(for: try Self.scenario(["model_type": "gemma3_text"]))
    #expect(table.least.bound == nil)
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

@Suite("The mixture of two options") struct CheckpointMixtureTests {
  @Test("is the fastest of all pairs and numbers, tried one by one") func exhaustive() throws {
    let scenario = try CheckpointSearchTests.scenario(
      ["model_type": "llama", "num_hidden_layers": 5], batch: 4)
    let (names, layers) = ([SavedOperations.Name.mm, .attention], 5)
    let options: [LayerOption] = [
      .none, .full, .selective(SavedOperations([.mm])), .selective(SavedOperations([.attention])),
      .selective(SavedOperations(names)), .selective(.torchtitan),
    ]
    var search = CheckpointSearch(scenario)
    var plans: [CheckpointTable.Plan] = []
    for first in options {
      for rest in options {
        for count in 0...layers {
          plans.append(try search.plan(.mixed(first: first, layers: count, rest: rest)))
        }
      }
    }
    let peaks = plans.map(\.allocated.count)
    let (least, most) = (try #require(peaks.min()), try #require(peaks.max()))
    for part in 0...12 {
      let bytes = least + (most - least) / 12 * part
      var mixture = CheckpointMixture(search, layers: layers, names: names)
      let found = try #require(try mixture.fastest(within: bytes))
      let best = plans.filter { $0.allocated.count <= bytes }.map(\.seconds).min()
      #expect(found.allocated.count <= bytes)
      #expect(abs(found.seconds - (best ?? 0)) < 1e-9 * found.seconds, "\(part)")
    }
  }

  @Test("has the simulator's peak, and fits") func peak() throws {
    let scenario = try CheckpointSearchTests.scenario(
      strategies: ["lora": ["rank": 8]], batch: 8)
    let table = try Planner.checkpoints(for: scenario, budget: Bytes(14 << 30))
    let mixture = try #require(table.mixture)
    var alone = scenario
    alone.device.memory = Bytes(14 << 30)
    alone.strategies.append(mixture.plan.checkpointing)
    let report = try Planner.plan(alone)
    #expect(report.peak.live == mixture.plan.live && report.fits)
    for plan in table.selective {
      alone.strategies = scenario.strategies + [plan.checkpointing]
      #expect(try Planner.plan(alone, .tensors).peak.live == plan.live)
    }
  }
}

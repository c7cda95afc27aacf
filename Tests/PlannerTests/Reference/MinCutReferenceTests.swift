import Testing

@testable import Planner

/// What `torch.compile(layer, backend="aot_eager")` keeps of one layer for each `activation_memory_budget`.
@Suite("PyTorch's own partitioner") struct MinCutReferenceTests {
  static let cases = Fixtures.cases("min-cut")

  /// The joint graph of the last layer, as the scenario's step runs it.
  static func graph(_ reference: Fixtures.Case) throws -> JointGraph {
    let scenario = try reference.scenario
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    return JointGraph(
      graph.program, section: graph.stacks[0].pattern.last ?? 1, inputRequires: true)
  }

  /// Bytes that are kept for each budget, here and by PyTorch.
  static func kept(_ reference: Fixtures.Case) throws -> [(budget: Double, here: Int, torch: Int)] {
    let graph = try Self.graph(reference)
    let inputs = graph.inputs.reduce(0) { $0 + graph.nodes[$1].bytes }
    #expect(inputs == reference["reference", "input_bytes"]?.whole)
    let values = SavedValues(graph)
    guard case .array(let budgets)? = reference["reference", "budgets"] else { return [] }
    return budgets.compactMap { row in
      guard let budget = row["memory_budget"]?.number, let torch = row["saved_bytes"]?.whole else {
        return nil
      }
      return (budget, values.kept(budget: budget).reduce(0) { $0 + graph.nodes[$1].bytes }, torch)
    }
  }

  @Test("keeps the same bytes for every budget", arguments: cases.filter { !$0.routes })
  func savedBytes(_ reference: Fixtures.Case) throws {
    let rows = try Self.kept(reference)
    #expect(rows.count == 11)
    // The memory-efficient kernel returns two scalars more, which a step has no memory for.
    let slack = reference["scenario", "precision"] == "32-true" ? 16 : 0
    for row in rows { #expect((0...slack).contains(row.torch - row.here), "\(row.budget)") }
  }

  @Test(
    "keeps within 8 % as many where a router's indices are not written one by one",
    arguments: cases.filter(\.routes))
  func routed(_ reference: Fixtures.Case) throws {
    for row in try Self.kept(reference) {
      #expect(abs(Double(row.here) / Double(row.torch) - 1) < 0.08, "\(row.budget)")
    }
  }
}

/// Steps whose layers run with `torch.compile(layer, backend="aot_eager")`, phase by phase.
@Suite("PyTorch's own figures for layers cut by its partitioner") struct MinCutStepTests {
  static let cases = Fixtures.cases("min-cut-steps")

  @Test("are met in every phase to half a percent", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    for phase in try Planner.plan(try reference.scenario, .tensors).phases {
      let expected = try reference.requestedBytes(phase)
      #expect(abs(Double(phase.live.count) / Double(expected) - 1) < 0.005, "\(phase.phase.key)")
    }
  }

  @Test("are equal to the byte in all phases but one") func equal() throws {
    let (equal, all) = try Self.cases.equalPhases()
    #expect(equal == 71 && all == 72)
  }
}

@Suite("Layers cut by a partitioner") struct MinCutPolicyTests {
  private func scenario(
    _ checkpointing: JSONValue,
    _ model: JSONValue = ["model_type": "llama", "num_hidden_layers": 5],
    strategies: [JSONValue.Member] = []
  ) throws -> Scenario {
    try CheckpointSearchTests.scenario(
      model, strategies: .object([.init("checkpointing", checkpointing)] + strategies))
  }

  @Test("a budget of 0 keeps inputs alone, as a checkpoint of each layer does") func nothing()
    throws
  {
    let cut = try Planner.plan(try scenario(["policy": "min_cut", "memory_budget": 0]), .tensors)
    let first = try Planner.plan(try scenario(["policy": "first", "layers": 5]), .tensors)
    #expect(cut.recompute.flopsFraction == first.recompute.flopsFraction)
    #expect(cut.peak.live <= first.peak.live)
  }

  @Test("a budget of 1 computes no product again, and keeps less than autograd") func most() throws
  {
    let cut = try Planner.plan(try scenario(["policy": "min_cut", "memory_budget": 1]), .tensors)
    let none = try Planner.plan(try scenario(["policy": "none"]), .tensors)
    #expect(cut.recompute.flopsFraction == 0 && cut.recompute.timeFraction > 0)
    #expect(cut.phases[1].live < none.phases[1].live)
  }

  @Test("the larger the budget, the less is computed again") func monotone() throws {
    var last = Double.infinity
    for budget in [0, 0.1, 0.25, 0.5, 0.75, 1] {
      let report = try Planner.plan(
        try scenario(["policy": "min_cut", "memory_budget": .number(budget)]), .tensors)
      #expect(report.recompute.flopsFraction <= last)
      last = report.recompute.flopsFraction
    }
  }

  @Test(
    "folded layers take what layers on their own take, and the step ends as it began",
    arguments: [
      ["model_type": "llama", "num_hidden_layers": 6], ["model_type": "gpt2", "n_layer": 6],
      ["model_type": "gemma3_text", "num_hidden_layers": 13],
      ["model_type": "qwen3_moe", "num_hidden_layers": 4],
    ] as [JSONValue], [0, 0.2, 0.6, 1])
  func folds(model: JSONValue, budget: Double) throws {
    for layers in [JSONValue.integer(3), .null] {
      var checkpointing: [JSONValue.Member] = [
        .init("policy", "min_cut"), .init("memory_budget", .number(budget)),
      ]
      if layers != .null { checkpointing.append(.init("layers", layers)) }
      let lora = [JSONValue.Member("lora", ["rank": 8])]
      for adapters in model["n_layer"] == nil ? [[], lora] : [[]] {
        let scenario = try scenario(.object(checkpointing), model, strategies: adapters)
        try scenario.expectFoldingChangesNothing("\(budget)")
        // Nothing of a layer outlives the step.
        let plan = try Planner.decide(scenario)
        let graph = try scenario.model.family.graph(plan.context)
        #expect(
          try MemoryFold(try TrainingStep(graph, plan).schedule).net == Self.resident(scenario))
      }
    }
  }

  /// What is alive when the step begins, and when it ends.
  static func resident(_ scenario: Scenario) throws -> Int {
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    var live = 0
    for event in step.schedule.events {
      if event.kind == .phase { break }
      live += event.bytes * Int(event.count)
    }
    return live
  }

  @Test("every printed plan has the simulator's peak, and none beats the bound") func table() throws
  {
    let scenario = try CheckpointSearchTests.scenario(strategies: ["lora": ["rank": 8]], batch: 8)
    let table = try Planner.checkpoints(for: scenario, budget: Bytes(14 << 30))
    #expect(table.cuts.count > 3)
    for plan in table.cuts + [try #require(table.cut).plan] {
      var alone = scenario
      alone.strategies.append(plan.checkpointing)
      let report = try Planner.plan(alone, .tensors)
      #expect(report.peak.live == plan.live && report.recompute == plan.recompute)
    }
    let cut = try #require(table.cut)
    let bound = try #require(cut.bound)
    #expect(bound <= cut.plan.recompute.timeFraction + 1e-9)
    #expect(cut.report.fits && cut.plan.seconds <= (table.recommended?.plan.seconds ?? .infinity))
  }

  @Test(
    "says what is wrong",
    arguments: [
      (["checkpointing": ["policy": "min_cut"]], "strategies.checkpointing.memory_budget"),
      (
        ["checkpointing": ["policy": "min_cut", "memory_budget": 1.5]],
        "strategies.checkpointing.memory_budget"
      ),
      (
        ["checkpointing": ["policy": "min_cut", "memory_budget": 1, "reentrant": true]],
        "strategies.checkpointing.reentrant"
      ),
      (
        ["checkpointing": ["policy": "min_cut", "memory_budget": 1], "fsdp": ["shards": 2]],
        "strategies.checkpointing"
      ),
      (
        ["checkpointing": ["policy": "min_cut", "memory_budget": 1], "offload_activations": [:]],
        "strategies.offload_activations"
      ),
    ] as [(JSONValue, String)])
  func mistakes(strategies: JSONValue, path: String) {
    #expect {
      try Planner.plan(try CheckpointSearchTests.scenario(strategies: strategies), .tensors)
    } throws: { ($0 as? PlanError)?.path == path }
  }
}

extension Fixtures.Case {
  fileprivate var routes: Bool { self["scenario", "model", "model_type"] == "mixtral" }
}

extension JSONValue {
  fileprivate var whole: Int? {
    if case .integer(let number) = self { return number }
    return nil
  }

  fileprivate var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

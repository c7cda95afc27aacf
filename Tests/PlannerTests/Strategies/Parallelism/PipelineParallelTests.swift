import Testing

@testable import Planner

@Suite("A pipeline") struct PipelineParallelTests {
  private func scenario(
    _ pipeline: String, microBatches: Int = 8, model: String = #""llama-2-7b""#,
    strategies: String = "", extra: String = ""
  ) throws -> Scenario {
    let text = """
      { "schema": 1, "name": "pipeline", "model": \(model),
        "workload": { "micro_batch_size": 1, "sequence_length": 2048,
                      "gradient_accumulation_steps": \(microBatches) },
        \(extra)
        "strategies": { "pipeline_parallel": \(pipeline)\(strategies) },
        "hardware": { "device": "h100-sxm" } }
      """
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(try JSONReader.read([UInt8](text.utf8)))
  }

  private func steps(_ scenario: Scenario) throws -> PipelineSteps {
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    return try PipelineSteps(graph, plan, try #require(plan.pipeline))
  }

  @Test("reports every distinct rank, and the one that needs most decides") func report() throws {
    let report = try Planner.plan(
      try scenario(#"{ "degree": 4 }"#, strategies: #", "fsdp": { "shards": 8 }"#))
    let pipeline = try #require(report.pipeline)
    #expect(pipeline.schedule == "1f1b")
    #expect(pipeline.stages.flatMap(\.ranks) == [0, 1, 2, 3])
    #expect(pipeline.stages.map(\.inFlight) == [4, 3, 2, 1])
    #expect(pipeline.stages.map(\.layers) == [8, 8, 8, 8])
    #expect(pipeline.stages.map(\.live).max() == report.peak.live)
    #expect(report.devices.used == 32)
    #expect(report.parameters == 6_738_415_616)
    #expect(pipeline.bubble > 0.2 && pipeline.bubble < 0.35)
    let sent = try #require(report.communication).sent.first { $0.collective == "point_to_point" }
    // Rank 0 sends activations alone, a rank between two others gradients as well.
    let one = 8.0 * 2048 * 4096 * 2
    #expect(sent?.bytes == one || sent?.bytes == 2 * one, "\(sent?.bytes ?? 0)")
  }

  @Test("takes as long for many micro-batches and layers as for few") func constant() throws {
    let events = try [16, 16_000].map { microBatches in
      try self.steps(scenario(#"{ "degree": 4 }"#, microBatches: microBatches)).ranks.map {
        $0.step.schedule.events.count
      }
    }
    #expect(events[0] == events[1])
  }

  @Test("counts ranks that are equal once") func equal() throws {
    let steps = try steps(try scenario(#"{ "degree": 8, "schedule": "gpipe" }"#))
    #expect(steps.ranks.map(\.ranks) == [[0], [1, 2, 3, 4, 5, 6], [7]])
  }

  @Test("the parts have the weights of the whole, a tied one twice") func weights() throws {
    for type in ModelFamilies.all where !["t5"].contains(type.modelType) {
      var settings = try Settings(.object([]), path: "model")
      guard let family = try? type.init(&settings), !family.isEncoderDecoder,
        let graph = try? family.graph(ForwardContext())
      else { continue }
      func total(_ graph: LayerGraph) -> Int {
        TrainingStep.weights(of: graph).reduce(0) { $0 + $1.spec.elements * $1.count }
      }
      let parts = try LayerSplit().parts(layers: graph.layers, stages: 2).map { try graph.part($0) }
      let twice = parts[1].program.leaves.first { leaf in
        leaf.isTable && parts[0].program.leaves.contains { $0.register == leaf.register }
      }
      let sum = parts.reduce(0) { $0 + total($1) }
      #expect(sum == total(graph) + (twice?.spec.elements ?? 0), "\(type.modelType)")
    }
  }

  /// Losses that are there from the beginning; scalars of a split backward in one of 120 scenarios.
  private static let tolerance = 256

  @Test("random ones do not depend on how they are folded") func random() throws {
    var tried = 0
    for seed in 0..<120 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      var generator = SplitMix(state: seed)
      let degree = Int.random(in: 2...3, using: &generator)
      let schedule = PipelineSchedules.all.randomElement(using: &generator) ?? GPipe.self
      scenario.workload.gradientAccumulationSteps = schedule.chunks == 2 ? 2 * degree : degree + 1
      if schedule.chunks == nil { scenario.workload.gradientAccumulationSteps = degree }
      var settings = try Settings(
        .object([.init("degree", .integer(degree)), .init("schedule", .string(schedule.name))]),
        path: "strategies.pipeline_parallel", keys: PipelineParallel.keys)
      scenario.strategies.append(try PipelineParallel(&settings))
      do { _ = try Planner.decide(scenario) } catch { continue }
      let steps: PipelineSteps
      do { steps = try self.steps(scenario) } catch { continue }
      tried += 1
      for rank in steps.ranks {
        let unrolled = try MemoryFold(try steps.unrolled(rank).schedule)
        for (one, other) in zip(unrolled.peaks, rank.fold.peaks) {
          #expect(
            abs(one.live - other.live) <= Self.tolerance,
            "seed \(seed), \(schedule.name), \(scenario.model.name), rank \(rank.ranks), \(scenario.strategies.map(\.label))"
          )
        }
        #expect(
          abs(unrolled.net - rank.fold.net) <= Self.tolerance, "seed \(seed), \(schedule.name)")
      }
    }
    #expect(tried > 20)
  }

  @Test("goes with a search for the least devices") func devices() throws {
    let report = try Planner.plan(
      try scenario(#"{ "degree": 2 }"#, strategies: #", "fsdp": { "shards": 16 }"#))
    let minimum = try #require(report.devices.minimum)
    #expect(minimum % 2 == 0 && minimum <= 32)
  }

  @Test("refuses what does not go with it") func refusals() throws {
    let t5 = """
      { "model_type": "t5", "d_model": 64, "num_layers": 4 }
      """
    let refused: [(String, Int, String, String)] = [
      (#"{ "degree": 64 }"#, 64, #""llama-2-7b""#, ""),
      (#"{ "degree": 2, "schedule": "1f2b" }"#, 8, #""llama-2-7b""#, ""),
      (#"{ "degree": 4, "schedule": "interleaved-1f1b" }"#, 9, #""llama-2-7b""#, ""),
      (#"{ "degree": 2, "schedule": "gpipe", "virtual_stages": 2 }"#, 8, #""llama-2-7b""#, ""),
      (#"{ "degree": 2, "layers": [3, 4] }"#, 8, #""llama-2-7b""#, ""),
      (#"{ "degree": 2 }"#, 8, t5, ""),
      (#"{ "degree": 2 }"#, 8, #""llama-2-7b""#, #", "zero": { "stage": 1, "shards": 2 }"#),
      (
        #"{ "degree": 2, "schedule": "zb-h1" }"#, 8, #""llama-2-7b""#,
        #", "checkpointing": { "policy": "full" }"#
      ),
    ]
    for (pipeline, microBatches, model, strategies) in refused {
      #expect(throws: PlanError.self, "\(pipeline) \(strategies)") {
        try Planner.plan(
          try scenario(
            pipeline, microBatches: microBatches, model: model, strategies: strategies))
      }
    }
  }

  @Test("says so where micro-batches do not fill it") func bubble() throws {
    let report = try Planner.plan(try scenario(#"{ "degree": 8 }"#, microBatches: 2))
    #expect(report.assumptions.contains { $0.name == "micro_batches" })
    #expect(try #require(report.pipeline).bubble > 0.5)
  }
}

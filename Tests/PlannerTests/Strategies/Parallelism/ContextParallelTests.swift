import Testing

@testable import Planner

/// The model: 2 layers, hidden size 64, MLP 128, 4 heads of 16, 2 key heads, vocabulary 100; a sequence of 64 tokens.
@Suite("Context parallelism, PyTorch's way") struct ContextParallelTests {
  private func scenario(
    _ strategies: String, _ more: String = "", devices: Int? = nil, tokens: Int = 64
  ) throws -> Scenario {
    let text = """
      {"schema": 1, "model": {"model_type": "llama", "vocab_size": 100, "hidden_size": 64,
        "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 1, "sequence_length": \(tokens)}, "precision": "bf16-true",
       "strategies": \(strategies)\(more), "hardware": {"device": "h100-sxm"}}
      """
    var scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
    scenario.devices = devices
    return scenario
  }

  private static let four = #"{"context_parallel": {"degree": 4}, "fsdp": {"shards": 2}}"#

  /// Keys and values of 64 tokens, 2 heads of 16 in bf16 each, are gathered once forward and once backward.
  ///
  /// Gradients of a device's 16 tokens go round in fp32, four times.
  @Test("gathers keys and values, and sends their gradients round") func traffic() throws {
    let scenario = try scenario(Self.four)
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    let ring = step.work.traffic.entries.filter { $0.ranks == 4 }
    func payload(_ collective: Collective) -> Double {
      ring.filter { $0.collective == collective }.reduce(0) { $0 + $1.payload }
    }
    // Two layers, forward and backward, of keys and values.
    let (both, parts) = (64 * 2 * 32 * 2, 16 * 2 * 32 * 4)
    #expect(payload(.allGather) == Double(4 * both))
    #expect(payload(.pointToPoint) == Double(8 * parts))
  }

  @Test("shares states over all devices") func devices() throws {
    let report = try Planner.plan(try scenario(Self.four, devices: 8))
    #expect(report.devices.used == 8)
    #expect(report.devices.minimum == 4)
    let scenario = try scenario(Self.four)
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let local = try plan.distribution?(graph, plan).local(TrainingStep.weights(of: graph)) ?? []
    // 100 × 64 over eight devices: 13 rows.
    #expect(local.first?.spec.elements == 13 * 64)
  }

  @Test("needs less memory for activations with more devices") func falls() throws {
    var last = Int.max
    for degree in [2, 4, 8] {
      let report = try Planner.plan(
        try scenario(
          "{\"context_parallel\": {\"degree\": \(degree)}, \"fsdp\": {\"shards\": 1}}",
          tokens: 65_536), .tensors)
      #expect(report.peak.live.count < last)
      last = report.peak.live.count
    }
  }

  /// A scenario that is refused, with the place of the mistake.
  struct Mistake: Sendable {
    let strategies: String
    var more = ""
    let path: String
  }

  static let mistakes: [Mistake] = [
    Mistake(
      strategies: #"{"context_parallel": {"degree": 4}}"#, path: "strategies.context_parallel"),
    Mistake(
      strategies: #"{"context_parallel": {"degree": 5}, "fsdp": {"shards": 2}}"#,
      path: "strategies.context_parallel.degree"),
    Mistake(
      strategies:
        #"{"context_parallel": {"degree": 4, "method": "all_to_all"}, "fsdp": {"shards": 2}}"#,
      path: "strategies.context_parallel.method"),
    Mistake(strategies: four, more: #", "attention": "eager""#, path: "attention"),
    Mistake(
      strategies:
        #"{"context_parallel": {"degree": 4}, "tensor_parallel": {"degree": 2}, "fsdp": {"shards": 2}}"#,
      path: "strategies.context_parallel"),
    Mistake(
      strategies: #"{"context_parallel": {"degree": 4}, "fsdp": {"shards": 2, "version": 1}}"#,
      path: "strategies.context_parallel"),
    Mistake(
      strategies: #"{"expert_parallel": {"degree": 2}}"#, path: "strategies.expert_parallel"),
  ]

  @Test("refuses what cannot run, or was never measured", arguments: mistakes)
  func refused(_ mistake: Mistake) throws {
    let error = #expect(throws: PlanError.self) {
      _ = try Planner.plan(try scenario(mistake.strategies, mistake.more))
    }
    #expect(error?.path == mistake.path)
  }
}

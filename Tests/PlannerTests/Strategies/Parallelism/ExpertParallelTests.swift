import Testing

@testable import Planner

/// The model: 2 layers, hidden size 64, 8 experts of 96, of which a token chooses 2; 2 sequences of 8 tokens.
@Suite("Expert parallelism, PyTorch's way") struct ExpertParallelTests {
  private func scenario(
    _ strategies: String = #"{"expert_parallel": {"degree": 4}}"#, experts: String = "",
    more: String = "", type: String = "mixtral"
  ) throws -> Scenario {
    let text = """
      {"schema": 1, "model": {"model_type": "\(type)", "vocab_size": 100, "hidden_size": 64,
        "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_local_experts": 8, "num_experts_per_tok": 2,
        "sliding_window": null, "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 2, "sequence_length": 8\(experts)}, "precision": "bf16-true",
       "strategies": \(strategies)\(more), "hardware": {"device": "h100-sxm"}}
      """
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
  }

  private func step(_ scenario: Scenario) throws -> TrainingStep {
    let plan = try Planner.decide(scenario)
    return try TrainingStep(try scenario.model.family.graph(plan.context), plan)
  }

  /// A layer adds up its result of 16 · 64 · 2 bytes forward, backward the gradients of its input, and twice those of
  /// 16 · 2 weights of 4 bytes: behind the router and ahead of the experts.
  @Test("adds up results, and gradients of tokens and of the router's weights") func traffic()
    throws
  {
    let entries = try step(scenario()).work.traffic.entries
    #expect(entries.allSatisfy { $0.collective == .allReduce && $0.ranks == 4 })
    let (calls, payload): (Double, Double) = (8, 8704)
    #expect(entries.reduce(0) { $0 + $1.calls } == calls)
    #expect(entries.reduce(0) { $0 + $1.payload } == payload)
  }

  /// Attention has 2 · (64 · 64 + 64 · 32), the router 8 · 64, two norms 64 each; an expert 3 · 64 · 96.
  @Test("keeps a share of the experts on each device, and all of the rest") func shares() throws {
    let elements = try step(scenario()).weights.reduce(0) { $0 + $1.spec.elements * $1.count }
    let around = 2 * 100 * 64 + 64
    let layer = 2 * (64 * 64 + 64 * 32) + 8 * 64 + 2 * 64
    let expert = 3 * 64 * 96
    let (own, whole) = (around + 2 * (layer + 2 * expert), around + 2 * (layer + 8 * expert))
    #expect(elements == own)
    let report = try Planner.plan(try scenario())
    #expect(report.parameters == whole)
    #expect(report.devices.used == 4)
    #expect(report.devices.minimum == 4)
  }

  @Test("multiplies with shards") func devices() throws {
    let report = try Planner.plan(
      try scenario(#"{"expert_parallel": {"degree": 2}, "fsdp": {"shards": 4}}"#))
    #expect(report.devices.used == 8)
    #expect(report.devices.minimum == 2)
  }

  /// Of 32 rows the busiest of 8 experts gets 4 times the mean of 4, and each other one 16 / 7: the busiest device of 4
  /// computes 16 + 16 / 7 of them, where even loads are 8.
  @Test("the busiest device's work follows the load, its memory does not") func load() throws {
    let even = try Planner.decide(try scenario())
    #expect(even.mesh.expertShare == 0.25)
    let loaded = try scenario(experts: #", "experts": {"imbalance": 4}"#)
    let share = try Planner.decide(loaded).mesh.expertShare
    let expected = (16 + 16.0 / 7) / 32
    #expect(abs(share - expected) < 1e-12)
    let (first, second) = (try Planner.plan(try scenario()), try Planner.plan(loaded))
    #expect(first.peak.live == second.peak.live)
    #expect(try step(loaded).work.flops > step(try scenario()).work.flops)
  }

  static let mistakes: [(String, String, String, String)] = [
    (#"{"expert_parallel": {"degree": 3}}"#, "", "mixtral", "strategies.expert_parallel.degree"),
    (#"{"expert_parallel": {"degree": 0}}"#, "", "mixtral", "strategies.expert_parallel.degree"),
    (#"{"expert_parallel": {"degree": 2}}"#, "", "llama", "strategies.expert_parallel"),
    (
      #"{"expert_parallel": {"degree": 2}, "tensor_parallel": {"degree": 2}}"#, "", "mixtral",
      "strategies.expert_parallel"
    ),
    (
      #"{"expert_parallel": {"degree": 2}, "pipeline_parallel": {"degree": 2}}"#, "", "mixtral",
      "strategies.expert_parallel"
    ),
    (
      #"{"expert_parallel": {"degree": 2}, "ddp": {"replicas": 2}}"#, "", "mixtral",
      "strategies.ddp"
    ),
    (
      #"{"expert_parallel": {"degree": 2}}"#, #", "optimizer": "lion""#, "mixtral",
      "optimizer.name"
    ),
    (#"{"expert_parallel": {"degree": 2}}"#, #", "kernels": "liger""#, "mixtral", "kernels"),
  ]

  @Test("refuses what it cannot plan, at the place of the mistake", arguments: mistakes)
  func refusals(_ mistake: (String, String, String, String)) throws {
    do {
      _ = try Planner.plan(try scenario(mistake.0, more: mistake.1, type: mistake.2))
      Issue.record("\(mistake) was planned")
    } catch let error as PlanError {
      #expect(error.path == mistake.3, "\(error)")
    }
  }
}

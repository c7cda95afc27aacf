import Testing

@testable import Planner

/// The model: 2 layers, hidden size 64, MLP 128, 4 heads of 16, 2 key heads, vocabulary 100; 2 sequences of 8 tokens.
@Suite("Tensor parallelism, PyTorch's way") struct TensorParallelTests {
  private func scenario(
    _ strategies: String, _ more: String = "", tied: Bool = false, devices: Int = 2,
    family: String = "llama"
  ) throws -> Scenario {
    let text = """
      {"schema": 1, "model": {"model_type": "\(family)", "vocab_size": 100, "hidden_size": 64,
        "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "tie_word_embeddings": \(tied)},
       "workload": {"micro_batch_size": 2, "sequence_length": 8}, "precision": "bf16-true",
       "strategies": \(strategies)\(more), "hardware": {"device": "h100-sxm", "devices": \(devices)}}
      """
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
  }

  private func traffic(_ strategies: String) throws -> [Collective: Traffic.Entry] {
    let scenario = try scenario(strategies)
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    var sums: [Collective: Traffic.Entry] = [:]
    for entry in step.work.traffic.entries {
      sums[entry.collective, default: .init(collective: entry.collective, ranks: entry.ranks)]
        .payload += entry.payload
      sums[entry.collective]?.calls += entry.calls
    }
    return sums
  }

  /// Rows of 64 elements in bf16 are 16 · 64 · 2 bytes.
  ///
  /// A layer adds up two results forward and five input gradients
  /// backward (q, k, v, gate, up), the head one gradient; it gathers logits of 16 · 100 · 2 bytes.
  @Test("adds up results and input gradients, and gathers the logits") func replicated() throws {
    let traffic = try traffic(#"{"tensor_parallel": {"degree": 2}}"#)
    let calls = 15.0
    #expect(traffic[.allReduce]?.calls == calls)
    #expect(traffic[.allReduce]?.payload == calls * 2048)
    #expect(traffic[.allGather]?.calls == 1)
    #expect(traffic[.allGather]?.payload == 3200)
    #expect(traffic[.reduceScatter] == nil)
  }

  /// A layer gathers its rows twice and reduces them twice, in each direction.
  ///
  /// The embedding reduces and the head gathers, with their duals. Of each of 16 rows the loss adds up a maximum, a sum and the label's value, in fp32.
  @Test("gathers and cuts rows of a cut sequence") func sequence() throws {
    let traffic = try traffic(#"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}}"#)
    let calls = 10.0
    for collective in [Collective.allGather, .reduceScatter] {
      #expect(traffic[collective]?.calls == calls)
      #expect(traffic[collective]?.payload == calls * 2048)
    }
    #expect(traffic[.allReduce]?.payload == 192)
  }

  /// Each device has 2·(64·64 + 64·32)/2 of attention's, 3·64·128/2 of the MLP's elements and two norms of 64 of a
  /// layer, the embedding, half of the head and the last norm.
  @Test("keeps a share of the matrices on each device, and counts the whole model") func shares()
    throws
  {
    let scenario = try scenario(#"{"tensor_parallel": {"degree": 2}}"#)
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    let elements = step.weights.reduce(0) { $0 + $1.spec.elements * $1.count }
    let layer = 64 * 64 + 64 * 32 + 3 * 64 * 64 + 128
    #expect(elements == 2 * layer + 6400 + 3200 + 64)
    let report = try Planner.plan(scenario)
    let whole = 2 * (64 * 64 + 64 * 32) + 3 * 64 * 128 + 128
    #expect(report.parameters == 2 * whole + 12_800 + 64)
    #expect(report.devices.used == 2)
    #expect(report.devices.minimum == 2)
  }

  @Test("multiplies with shards") func devices() throws {
    let strategies =
      #"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}, "fsdp": {"shards": 4}}"#
    let report = try Planner.plan(try scenario(strategies, devices: 8))
    #expect(report.devices.used == 8)
    // One copy of the model at least, which two devices share.
    #expect(report.devices.minimum == 2)
  }

  /// A scenario that is refused, with the place of the mistake.
  struct Mistake: Sendable {
    let strategies: String
    var more = ""
    var tied = false
    var family = "llama"
    let path: String
  }

  static let mistakes: [Mistake] = [
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 4}}"#, path: "strategies.tensor_parallel.degree"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 0}}"#, path: "strategies.tensor_parallel.degree"),
    Mistake(strategies: #"{"sequence_parallel": {}}"#, path: "strategies.sequence_parallel"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2, "loss_parallel": true}}"#,
      path: "strategies.tensor_parallel.loss_parallel"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}}"#,
      more: #", "attention": "eager""#, path: "attention"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}, "lora": {}}"#,
      path: "strategies.lora"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "lora": {"use_dora": true}}"#,
      path: "strategies.lora"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "zero": {"stage": 1, "shards": 2}}"#,
      path: "strategies.zero"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}}"#,
      family: "gemma", path: "strategies.sequence_parallel"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}}"#, family: "falcon",
      path: "strategies.tensor_parallel"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "ddp": {"replicas": 2}}"#,
      path: "strategies.ddp"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}}"#, more: #", "optimizer": "lion""#,
      path: "optimizer.name"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}}"#, more: #", "kernels": "liger""#,
      path: "kernels"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "fsdp": {"shards": 2}}"#, tied: true,
      path: "strategies.tensor_parallel"),
    Mistake(
      strategies: #"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}}"#, tied: true,
      path: "strategies.sequence_parallel"),
  ]

  @Test("refuses what cannot run, or was never measured", arguments: mistakes)
  func refused(_ mistake: Mistake) throws {
    let error = #expect(throws: PlanError.self) {
      var scenario = try scenario(
        mistake.strategies, mistake.more, tied: mistake.tied, family: mistake.family)
      scenario.devices = nil
      _ = try Planner.plan(scenario)
    }
    #expect(error?.path == mistake.path)
  }

  @Test("steps parameter by parameter where some weights are whole") func optimizer() throws {
    let plan = try Planner.decide(try scenario(#"{"tensor_parallel": {"degree": 2}}"#))
    #expect(plan.optimizer.implementation == .forLoop)
    let cut = try Planner.decide(
      try scenario(#"{"tensor_parallel": {"degree": 2}, "sequence_parallel": {}}"#))
    #expect(cut.optimizer.implementation == .foreach)
  }
}

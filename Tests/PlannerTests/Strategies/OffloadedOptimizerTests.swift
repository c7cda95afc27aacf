import Testing

@testable import Planner

/// The rules are those of `torchao/optim/cpu_offload.py`, torchao 0.14; the sums were made by hand.
@Suite("An optimizer on the host") struct OffloadedOptimizerTests {
  /// A model with 16 matrices of a power of two of elements, 114,688 together.
  ///
  /// Embedding and head of 16,384, and in both layers
  /// four of 4,096 and three of 8,192. Five norms of 64.
  static func scenario(_ extra: [JSONValue.Member] = [], strategies: JSONValue) throws(PlanError)
    -> Scenario
  {
    let members: [JSONValue.Member] = [
      .init("schema", 1),
      .init(
        "model",
        [
          "model_type": "llama", "vocab_size": 256, "hidden_size": 64, "intermediate_size": 128,
          "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
        ]), .init("workload", ["micro_batch_size": 1, "sequence_length": 16]),
      .init("strategies", strategies),
    ]
    let kept = members.filter { member in !extra.contains { $0.key == member.key } }
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no files", path: path, fix: "")
    }.read(.object(kept + extra))
  }

  private func error(_ extra: [JSONValue.Member], _ strategies: JSONValue) -> PlanError? {
    do throws(PlanError) {
      _ = try Planner.plan(try Self.scenario(extra, strategies: strategies))
      return nil
    } catch { return error }
  }

  @Test("has a copy of every large weight, its gradient and its states there") func host() throws {
    let host = try #require(
      try Planner.plan(try Self.scenario(strategies: ["offload_optimizer": [:]])).host)
    #expect(host.breakdown[.parameters].count == 229_376)
    #expect(host.breakdown[.gradients].count == 229_376)
    // Two states in bf16, and a counter of 4 bytes for each of 16 fused optimizers.
    #expect(host.breakdown[.optimizerState].count == 2 * 229_376 + 16 * 4)
    #expect(host.needed.count == 917_568 && host.pinned.count == 458_752)
    #expect(host.toHost.count == 229_376 && host.toDevice.count == 229_376)
  }

  @Test("leaves the states of small weights on the device") func small() throws {
    let report = try Planner.plan(try Self.scenario(strategies: ["offload_optimizer": [:]]))
    for phase in report.phases where phase.phase == .forward {
      #expect(phase.breakdown[.optimizerState].count == 5 * (2 * 128 + 4))
    }
  }

  @Test("copies gradients of every micro-batch, weights once") func accumulation() throws {
    let scenario = try Self.scenario(
      [
        .init(
          "workload",
          ["micro_batch_size": 1, "sequence_length": 16, "gradient_accumulation_steps": 3])
      ], strategies: ["offload_optimizer": [:]])
    let host = try #require(try Planner.plan(scenario).host)
    #expect(host.toHost.count == 3 * 229_376 && host.toDevice.count == 229_376)
  }

  @Test("counts paged states as on the host") func paged() throws {
    let scenario = try Self.scenario(
      [.init("optimizer", "paged-adamw"), .init("model", "llama-3.2-1b")], strategies: [:])
    let host = try #require(try Planner.plan(scenario).host)
    // 1,235,814,400 parameters, 67,584 of them in 33 norms of 2,048; 8 bytes for each of the others.
    #expect(host.needed.count == 8 * (1_235_814_400 - 33 * 2048))
    #expect(host.pinned == .zero && host.toHost == .zero)
  }

  @Test("decides the verdict where the host's memory is known") func verdict() throws {
    for (memory, fits) in [("1GB", true), ("0.9MB", false)] {
      let scenario = try Self.scenario(
        [.init("hardware", ["device": "rtx-4090", "host_memory": .string(memory)])],
        strategies: ["offload_optimizer": [:]])
      let report = try Planner.plan(scenario)
      #expect(report.fits == fits && report.host?.fits == fits)
      let text = TextRenderer.render(.planned(report, remedies: nil), style: TextStyle())
      #expect(text.contains("host memory: needs"))
      #expect(text.contains("which is too much") == !fits)
    }
  }

  @Test("is refused where it does not work") func refusals() {
    let clipped = error([.init("gradient_clipping", 1.0)], ["offload_optimizer": [:]])
    #expect(clipped?.kind == .conflict && clipped?.path == "gradient_clipping")
    let quantized = error([.init("optimizer", "adamw-8bit")], ["offload_optimizer": [:]])
    #expect(quantized?.path == "strategies.offload_optimizer")
    let accumulated = error(
      [
        .init(
          "workload",
          ["micro_batch_size": 1, "sequence_length": 16, "gradient_accumulation_steps": 3])
      ], ["offload_optimizer": ["offload_gradients": true]])
    #expect(accumulated?.path == "strategies.offload_optimizer.offload_gradients")
    let memory = error([.init("hardware", ["host_memory": "64"])], [:])
    #expect(memory?.path == "hardware.host_memory" && memory?.message == "\"64\" is not a size")
  }
}

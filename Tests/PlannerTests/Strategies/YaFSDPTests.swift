import Testing

@testable import Planner

/// Sums by hand after `ya_fsdp/ya_fsdp.py` of github.com/yandex/YaFSDP.
///
/// The model: 2 layers, hidden size 8, MLP 16, 2 heads, vocabulary 100, on 4 devices. A layer has 4·8·8 + 3·8·16 = 640
/// elements and norms of 16, the embedding and the head 800 each, the last norm 8.
@Suite("YaFSDP") struct YaFSDPTests {
  private func step(
    _ strategies: String, precision: String = "bf16-true", model: String = "llama",
    unrolls: Bool = false
  ) throws -> TrainingStep {
    let text = """
      {"schema": 1, "model": {"model_type": "\(model)", "vocab_size": 100, "hidden_size": 8,
        "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 1, "sequence_length": 4}, "precision": "\(precision)",
       "strategies": \(strategies), "hardware": {"device": "h100-sxm", "devices": 4}}
      """
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
    let plan = try Planner.decide(scenario)
    return try TrainingStep(
      try scenario.model.family.graph(plan.context), plan, unrolls: unrolls)
  }

  private func resident(_ strategies: String) throws -> [Role: Int] {
    let step = try step(strategies)
    var bytes: [Role: Int] = [:]
    for event in step.schedule.events.prefix(while: { $0.kind == .memory }) {
      bytes[event.role, default: 0] += event.bytes * Int(event.count)
    }
    return bytes
  }

  /// A rank has (800 + 800 + 2·640) / 4 = 720 elements of matrices and 40 / 4 = 10 of norms; each takes 4 + 2 bytes as a
  /// parameter, 4 as a gradient and 8 of AdamW's states.
  @Test("keeps shares in fp32 and 16 bits, and gradients for good") func shares() throws {
    let bytes = try resident(#"{"yafsdp": {"shards": 4}}"#)
    #expect(bytes[.parameters] == 730 * 6)
    #expect(bytes[.gradients] == 730 * 4)
    #expect(bytes[.optimizerState] == 730 * 8)
  }

  /// Two buffers of the largest unit, 800 elements, for parameters and two for gradients, 2 bytes each; one of them in
  /// fp32; and the norms' two buffers of 40 elements.
  @Test(
    "has buffers by the largest unit",
    arguments: [
      (#"{"shards": 4}"#, 4 * 1600 + 3200 + 2 * 80),
      (#"{"shards": 4, "bit16_reduce_scatter": true}"#, 4 * 1600 + 2 * 80),
      // Stage 2: every unit and the norms have a buffer of their own.
      (
        #"{"shards": 4, "zero_stage": 2}"#,
        2 * (800 + 800 + 640 + 640 + 40) + 2 * 1600 + 3200 + 2 * 80
      ),
    ])
  func buffers(_ settings: String, _ bytes: Int) throws {
    #expect(try resident("{\"yafsdp\": \(settings)}")[.communication] == bytes)
  }

  /// A layer's gradients, 2·640 bytes, go together once its backward is over.
  ///
  /// With them goes that of its output, 4·8 elements, which PyTorch's hook held. The head's and the embedding's of 800
  /// elements go at once, those of norms, 40 elements in all, behind the embedding's.
  @Test("copies a layer's gradients when its backward is over") func copies() throws {
    let step = try step(#"{"yafsdp": {"shards": 4}}"#, unrolls: true)
    var freed: [Int] = []
    var follows = false
    for event in step.schedule.events {
      let isCopied =
        event.kind == .memory && event.count < 0 && event.operation == Moment.bucket.rawValue
      if isCopied {
        if !follows { freed.append(0) }
        freed[freed.count - 1] += event.bytes
      }
      follows = isCopied
    }
    let layer = 2 * 640 + 2 * 4 * 8
    #expect(freed.reduce(0, +) == 2 * (800 + 800 + 40) + 2 * layer)
    #expect(freed.filter { $0 == layer }.count == 2)
  }

  @Test(
    "refuses what it does not support",
    arguments: [
      (#"{"yafsdp": {"shards": 4}, "lora": {}}"#, "bf16-true", "strategies.lora"),
      (#"{"yafsdp": {"shards": 4}}"#, "bf16-mixed", "precision"),
      (#"{"yafsdp": {"shards": 4, "zero_stage": 1}}"#, "bf16-true", "strategies.yafsdp.zero_stage"),
      (#"{"yafsdp": {"shards": 4}, "fsdp": {"shards": 4}}"#, "bf16-true", "strategies.yafsdp"),
      // The class itself fails there with an assertion.
      (
        #"{"yafsdp": {"shards": 4}, "checkpointing": {"policy": "full", "reentrant": true}}"#,
        "bf16-true", "strategies.checkpointing.reentrant"
      ),
    ])
  func refused(_ strategies: String, _ precision: String, _ path: String) throws {
    let error = #expect(throws: PlanError.self) {
      _ = try step(strategies, precision: precision)
    }
    #expect(error?.path == path)
  }

  /// Encoder and decoder of a T5 read one table.
  @Test("refuses tables that two modules share") func sharedTable() throws {
    let text = """
      {"schema": 1, "model": {"model_type": "t5", "vocab_size": 1000, "d_model": 256, "d_kv": 32, "d_ff": 512,
        "num_layers": 3, "num_heads": 8, "decoder_start_token_id": 0, "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 2, "sequence_length": 256}, "precision": "bf16-true",
       "strategies": {"yafsdp": {"shards": 4}}, "hardware": {"device": "h100-sxm", "devices": 4}}
      """
    let error = #expect(throws: PlanError.self) {
      _ = try Planner.plan(
        ScenarioReader { (path) throws(PlanError) in
          throw PlanError(.unreadable, "no file", path: path, fix: "")
        }.read(try JSONReader.read(text)))
    }
    #expect(error?.path == "strategies.yafsdp")
  }

  @Test("refuses models whose norms have no weights") func noNorms() throws {
    let error = #expect(throws: PlanError.self) {
      _ = try step(#"{"yafsdp": {"shards": 4}}"#, model: "olmo")
    }
    #expect(error?.path == "strategies.yafsdp")
  }
}

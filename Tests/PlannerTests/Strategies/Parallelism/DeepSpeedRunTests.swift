import Testing

@testable import Planner

@Suite("DeepSpeed's pipelines") struct DeepSpeedRunTests {
  private func plan(
    _ strategies: String, precision: String = "bf16-true", micro: Int = 4
  ) throws -> Report {
    try Planner.plan(try scenario(strategies, precision: precision, micro: micro), .tensors)
  }

  private func scenario(
    _ strategies: String, precision: String = "bf16-true", micro: Int = 4
  ) throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(
      try JSONReader.read(
        """
        {"model": {"model_type": "llama", "vocab_size": 4096, "hidden_size": 512, "intermediate_size": 1536,
          "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 8,
          "max_position_embeddings": 512, "tie_word_embeddings": false},
         "framework": "deepspeed", "precision": "\(precision)", "optimizer": "adamw",
         "workload": {"micro_batch_size": 2, "sequence_length": 256, "gradient_accumulation_steps": \(micro)},
         "strategies": {\(strategies)}, "hardware": {"device": "a100-80gb-sxm"}}
        """))
  }

  private static let zero =
    "\"zero\": {\"stage\": 1, \"shards\": 4, \"reduce_bucket_size\": 1000000}"
  private static let pipeline = "\"pipeline_parallel\": {\"degree\": 2}"
  private static let both = zero + ", " + pipeline

  /// Strategies that are refused, and where.
  private static let refused: [(String, String)] = [
    ("\(zero)", "framework"),
    ("\(pipeline)", "strategies"),
    ("\(pipeline), \"zero\": {\"stage\": 2, \"shards\": 4}", "strategies.zero.stage"),
    ("\(pipeline), \"ddp\": {\"replicas\": 4}", "strategies.ddp"),
    (
      "\(pipeline), \"zero\": {\"stage\": 1, \"shards\": 4, \"overlap_comm\": true}",
      "strategies.zero"
    ),
    (
      "\(zero), \"pipeline_parallel\": {\"degree\": 2, \"schedule\": \"gpipe\"}",
      "strategies.pipeline_parallel.schedule"
    ),
    (
      "\(both), \"checkpointing\": {\"policy\": \"every\", \"interval\": 2}",
      "strategies.checkpointing.policy"
    ),
    (
      "\(both), \"tensor_parallel\": {\"degree\": 2, \"loss_parallel\": true}",
      "strategies.tensor_parallel.loss_parallel"
    ),
  ]

  @Test("refuse what the engine does not run, or what nobody measured", arguments: refused)
  func refusals(_ strategies: String, _ path: String) throws {
    let error = #expect(throws: PlanError.self) { try plan(strategies) }
    #expect(error?.path == path)
    #expect(error?.fix.isEmpty == false)
  }

  /// A device sums in place: under tensor parallelism the residual stream stays what it is, and so does what is sent.
  @Test("use as many devices as all degrees multiply to") func devices() throws {
    let report = try plan(
      Self.both + ", \"tensor_parallel\": {\"degree\": 2}",
      precision: "16-true")
    #expect(report.devices.used == 16)
  }

  @Test("have a ladder on top of the pipeline and ZeRO") func ladder() throws {
    let ladder = try Planner.compare(
      try scenario(Self.both + ", \"checkpointing\": {\"policy\": \"full\"}"))
    #expect(ladder.rungs.count == 3)
    #expect(ladder.rungs[0].label == "baseline: pipeline and ZeRO")
  }

  @Test("recompute the whole layer: checkpoints are reentrant unless a scenario says otherwise")
  func checkpoints() throws {
    let base = Self.both + ", \"checkpointing\": {\"policy\": \"full\""
    let whole = try plan(base + "}")
    let partial = try plan(base + ", \"reentrant\": false}")
    #expect(whole.recompute.flopsFraction > partial.recompute.flopsFraction)
  }
}

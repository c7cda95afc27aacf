import Testing

@testable import Planner

/// What Megatron's layers keep and what its optimizer holds, against the formulas of its papers and documentation.
@Suite("Megatron") struct MegatronTests {
  /// A scenario of GPT's layers; the vocabulary is large, so that the loss is the forward's peak.
  private func report(
    layers: Int, hidden: Int = 1024, heads: Int = 16, sequence: Int = 512, batch: Int = 2,
    megatron: String = "\"attention_backend\": \"unfused\"", strategies: String = "",
    model: String = ""
  ) throws -> Report {
    try Planner.plan(
      try scenario(
        """
        {"model": {"model_type": "megatron_gpt", "num_layers": \(layers), "hidden_size": \(hidden),
          "num_attention_heads": \(heads), "vocab_size": 204800, "max_position_embeddings": \(sequence)\(model)},
         "framework": "megatron", "megatron": {\(megatron)},
         "workload": {"micro_batch_size": \(batch), "sequence_length": \(sequence)},
         "strategies": {\(strategies)}, "hardware": {"device": "a100-80gb-sxm"}}
        """), .tensors)
  }

  private func scenario(_ text: String) throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(try JSONReader.read(text))
  }

  /// What one more layer keeps from forward to backward, without its statistics of rows.
  private func saved(
    _ hidden: Int = 1024, heads: Int = 16, sequence: Int = 512, batch: Int = 2,
    megatron: String = "\"attention_backend\": \"unfused\"", strategies: String = "",
    model: String = ""
  ) throws -> Int {
    func live(_ layers: Int) throws -> Int {
      let report = try report(
        layers: layers, hidden: hidden, heads: heads, sequence: sequence, batch: batch,
        megatron: megatron, strategies: strategies, model: model)
      return report.phases[0].live.count - report.phases[2].live.count
    }
    return try live(5) - live(4)
  }

  /// Two norms keep a mean and a deviation of each row, in fp32, which the paper leaves out.
  private func statistics(_ rows: Int) -> Int { 16 * rows }

  /// Table 2 of Korthikanti, 2022 (arXiv:2205.05198).
  @Test("layers keep sbh(34 + 5as/h) bytes, and their parts", arguments: [1, 2, 4])
  func activations(degree t: Int) throws {
    let (s, b, h, a) = (512, 2, 1024, 16)
    let tensor = t > 1 ? "\"tensor_parallel\": {\"degree\": \(t)}" : ""
    let scores = 5 * a * s * s * b / t
    let plain = try saved(strategies: tensor)
    #expect(plain == s * b * h * 10 + s * b * h * 24 / t + scores + statistics(s * b))
    guard t > 1 else { return }
    let cut = try saved(strategies: tensor + ", \"sequence_parallel\": {}")
    #expect(cut == s * b * h * 34 / t + scores + statistics(s * b / t))
    let selective = try saved(
      strategies: tensor
        + ", \"sequence_parallel\": {}, \"checkpointing\": {\"recompute_granularity\": \"selective\"}"
    )
    #expect(selective == s * b * h * 34 / t + statistics(s * b / t))
    let full = try saved(
      strategies: tensor
        + ", \"sequence_parallel\": {}, \"checkpointing\": {\"recompute_granularity\": "
        + "\"full\", \"recompute_method\": \"uniform\"}")
    #expect(full == s * b * h * 2 / t)
  }

  /// `get_training_info.py` of PR 482 of Megatron-LM, 2023: (5sbh + 4sbf) / t + 5sbh elements of two bytes, found from
  /// traces of the allocator; FlashAttention keeps an fp32 number of each row and head besides.
  @Test("layers of 2023 keep 10sbh + 4sbf elements", arguments: [1, 2, 4])
  func legacy(degree t: Int) throws {
    let (s, b, h, a, f) = (512, 2, 1024, 16, 2688)
    let kept = try saved(
      megatron: "\"attention_backend\": \"flash\", \"use_legacy_models\": true",
      strategies: t > 1 ? "\"tensor_parallel\": {\"degree\": \(t)}" : "",
      model: ", \"swiglu\": true")
    let formula = 2 * ((5 * s * b * h + 4 * s * b * f) / t + 5 * s * b * h)
    let rows = statistics(s * b) + 4 * s * b * a / t
    #expect(formula + rows...formula + rows + 1024 ~= kept)
  }

  /// "Distributed Optimizer" in Megatron Core's documentation: bf16 parameters, fp32 gradients.
  @Test("a parameter takes 18 bytes, or 6 + 12/d", arguments: [1, 2, 8, 64])
  func states(degree d: Int) throws {
    // Llama 2 7B as Meta counts it; its vocabulary of 32,000 needs no padding.
    let parameters = 6_738_415_616
    for shares in [false, true] {
      let report = try Planner.plan(
        try scenario(
          """
          {"model": "llama-2-7b", "framework": "megatron", "megatron": {"gradient_accumulation_fusion": false},
           "workload": {"micro_batch_size": 1, "sequence_length": 128},
           "strategies": {"data_parallel": {"degree": \(d), "distributed_optimizer": \(shares)}},
           "hardware": {"device": "h200-sxm"}}
          """), .tensors)
      let stays = report.phases[2].live.count
      let workspaces = 3 << 25
      let expected = shares ? parameters * 6 + parameters * 12 / d : parameters * 18
      #expect(stays - workspaces >= expected)
      #expect(Double(stays - workspaces) <= Double(expected) * 1.0005 + 1_000_000)
    }
  }

  /// Folding equal layers changes nothing.
  @Test("a step is the same with every layer on its own") func folds() throws {
    for strategies in [
      "", "\"tensor_parallel\": {\"degree\": 2}, \"sequence_parallel\": {}",
      "\"checkpointing\": {\"recompute_granularity\": \"full\", \"recompute_method\": \"block\", \"recompute_num_layers\": 3}",
    ] {
      let scenario = try scenario(
        """
        {"model": {"model_type": "megatron_gpt", "num_layers": 6, "hidden_size": 256, "num_attention_heads": 8,
          "vocab_size": 1000, "position_embedding_type": "rope", "swiglu": true, "num_experts": 4,
          "moe_layer_freq": [0, 1, 1, 1, 1, 1], "add_bias_linear": false},
         "framework": "megatron",
         "workload": {"micro_batch_size": 2, "sequence_length": 256, "gradient_accumulation_steps": 3},
         "strategies": {\(strategies)}, "hardware": {"device": "h100-sxm"}}
        """)
      let plan = try Planner.decide(scenario)
      let graph = try scenario.model.family.graph(plan.context)
      let folded = try MemoryFold(try TrainingStep(graph, plan).schedule)
      let unrolled = try MemoryFold(try TrainingStep(graph, plan, unrolls: true).schedule)
      #expect(folded.peaks.map(\.live) == unrolled.peaks.map(\.live))
    }
  }

  /// The same of the stages of a pipeline, whose tensors die once they were sent.
  @Test(
    "a pipeline is the same with every layer and micro-batch on its own",
    arguments: [
      "", ", \"schedule\": \"interleaved-1f1b\", \"virtual_stages\": 2",
    ])
  func pipelines(_ schedule: String) throws {
    let scenario = try scenario(
      """
      {"model": {"model_type": "megatron_gpt", "num_layers": 8, "hidden_size": 256, "num_attention_heads": 8,
        "vocab_size": 1000, "max_position_embeddings": 128},
       "framework": "megatron",
       "workload": {"micro_batch_size": 2, "sequence_length": 128, "gradient_accumulation_steps": 4},
       "strategies": {"pipeline_parallel": {"degree": 2\(schedule)}, "tensor_parallel": {"degree": 2},
         "data_parallel": {"degree": 2, "distributed_optimizer": true}},
       "hardware": {"device": "h100-sxm"}}
      """)
    let plan = try Planner.decide(scenario)
    let steps = try PipelineSteps(
      try scenario.model.family.graph(plan.context), plan, try #require(plan.pipeline))
    #expect(steps.ranks.count == 2)
    for rank in steps.ranks {
      let unrolled = try MemoryFold(try steps.unrolled(rank).schedule)
      // The optimizer's phase begins with the losses of micro-batches that the unrolled step leaves out.
      #expect(unrolled.peaks.prefix(2).map(\.live) == rank.fold.peaks.prefix(2).map(\.live))
    }
  }

  /// 12h² + 13h a layer, as Narayanan, 2021 (arXiv:2104.04473) counts them; all parts together.
  @Test("a model has as many parameters however it is cut") func parameters() throws {
    let whole = try report(layers: 4)
    let cut = try report(
      layers: 4, strategies: "\"tensor_parallel\": {\"degree\": 4}, \"sequence_parallel\": {}")
    #expect(whole.parameters == cut.parameters)
    #expect(whole.parameters == 4 * (12 * 1024 * 1024 + 13 * 1024) + (204_800 + 512 + 2) * 1024)
  }

  @Test(
    "what Megatron does not run is refused with a way out",
    arguments: [
      ("\"fsdp\": {\"shards\": 2}", "strategies.fsdp"),
      ("\"lora\": {\"rank\": 8, \"target_modules\": [\"q_proj\"]}", "strategies.lora"),
      ("\"tensor_parallel\": {\"degree\": 3}", "strategies.tensor_parallel.degree"),
      (
        "\"checkpointing\": {\"recompute_granularity\": \"selective\", \"recompute_modules\": [\"mlp\"]}",
        "strategies.checkpointing.recompute_modules"
      ),
      (
        "\"checkpointing\": {\"recompute_granularity\": \"full\", \"recompute_method\": \"uniform\", \"recompute_num_layers\": 2}",
        "strategies.checkpointing.recompute_num_layers"
      ),
      (
        "\"data_parallel\": {\"degree\": 3, \"num_distributed_optimizer_instances\": 2}",
        "strategies.data_parallel.num_distributed_optimizer_instances"
      ),
    ])
  func refusals(_ strategies: String, _ path: String) throws {
    let error = #expect(throws: PlanError.self) {
      try report(layers: 2, strategies: strategies)
    }
    #expect(error?.path == path)
    #expect(error?.fix.isEmpty == false)
  }

  @Test("Megatron's keys need its framework") func otherFramework() throws {
    for (text, path) in [
      ("\"megatron\": {}", "megatron"),
      ("\"strategies\": {\"data_parallel\": {\"degree\": 2}}", "strategies.data_parallel"),
    ] {
      let error = #expect(throws: PlanError.self) {
        try Planner.plan(
          try scenario(
            "{\"model\": \"llama-2-7b\", \"workload\": {\"micro_batch_size\": 1, \"sequence_length\": 128}, \(text)}"
          ))
      }
      #expect(error?.path == path)
    }
  }
}

import Testing

@testable import Planner

@Suite("Settings of ZeRO") struct ZeroSettingsTests {
  private func scenario(
    _ zero: String, precision: String = "bf16-true", optimizer: String = "adamw", layers: Int = 2,
    lora: String = ""
  ) throws -> Scenario {
    let text = """
      {"schema": 1, "model": {"model_type": "llama", "vocab_size": 512, "hidden_size": 64,
      "intermediate_size": 128, "num_hidden_layers": \(layers), "num_attention_heads": 4,
      "num_key_value_heads": 4}, "workload": {"micro_batch_size": 1, "sequence_length": 32},
      "precision": "\(precision)", "optimizer": "\(optimizer)", "strategies": {\(lora)"zero": \(zero)},
      "hardware": {"device": "h100-sxm"}}
      """
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(try JSONReader.read([UInt8](text.utf8)))
  }

  @Test(
    "of stage 3 with quantized weights that were not measured are refused at their place",
    arguments: [
      (#""base_quantization": "int8""#, "", "strategies.lora.base_quantization"),
      (
        #""base_quantization": "nf4", "use_dora": true"#, "", "strategies.lora.base_quantization"
      ),
    ])
  func quantized(_ lora: String, _ zero: String, _ place: String) throws {
    let adapters = #""target_modules": ["q_proj"], "adapter_precision": "base""#
    let scenario = try scenario(
      #"{"stage": 3, "shards": 2\#(zero)}"#,
      lora: #""lora": {"rank": 4, "prepare_for_kbit_training": false, \#(adapters), \#(lora)}, "#)
    let error = #expect(throws: PlanError.self) { try Planner.plan(scenario) }
    #expect(error?.path == place)
  }

  @Test(
    "that DeepSpeed does not run are refused at their place",
    arguments: [
      (#"{"stage": 4, "shards": 2}"#, "strategies.zero.stage"),
      (#"{"stage": 2}"#, "strategies.zero.shards"),
      (
        #"{"stage": 2, "shards": 2, "reduce_bucket_size": 1e18}"#,
        "strategies.zero.reduce_bucket_size"
      ),
      (
        #"{"stage": 2, "shards": 2, "offload_param": {"device": "cpu"}}"#,
        "strategies.zero.offload_param"
      ),
      (
        #"{"stage": 2, "shards": 2, "offload_optimizer": {"device": "nvme"}}"#,
        "strategies.zero.offload_optimizer.device"
      ),
      (
        #"{"stage": 3, "shards": 2, "offload_optimizer": {"device": "cpu", "ratio": 0.5}}"#,
        "strategies.zero.offload_optimizer.ratio"
      ),
      (#"{"stage": 3, "shards": 2, "bucket": 1}"#, "strategies.zero.bucket"),
      (
        #"{"stage": 3, "shards": 2, "bf16_optimizer_states": true}"#,
        "strategies.zero.bf16_optimizer_states"
      ),
      (
        #"{"stage": 3, "shards": 2, "bf16_master_weights_and_grads": true}"#,
        "strategies.zero.bf16_master_weights_and_grads"
      ),
      (
        #"{"stage": 2, "shards": 2, "grad_accum_dtype": "int8"}"#,
        "strategies.zero.grad_accum_dtype"
      ),
      (
        #"{"stage": 2, "shards": 2, "grad_accum_dtype": "fp16"}"#,
        "strategies.zero.grad_accum_dtype"
      ),
    ])
  func refused(_ zero: String, _ place: String) {
    #expect {
      _ = try Planner.plan(try scenario(zero))
    } throws: {
      ($0 as? PlanError)?.path == place
    }
  }

  @Test("want Adam, formats that DeepSpeed's own layers know, and layers that can be walked")
  func conflicts() {
    let zero = #"{"stage": 2, "shards": 2}"#
    #expect(throws: PlanError.self) { try Planner.plan(try scenario(zero, optimizer: "sgd")) }
    #expect(throws: PlanError.self) {
      try Planner.plan(try scenario(zero, precision: "fp8-mixed"))
    }
    #expect(throws: PlanError.self) { try Planner.plan(try scenario(zero, layers: 2000)) }
  }

  @Test(
    "want DeepSpeed's leave for optimizers that it has not tested",
    arguments: [
      ("sgd", #"{"stage": 2, "shards": 2}"#, "strategies.zero.zero_allow_untested_optimizer"),
      (
        "adamw-8bit",
        #"{"stage": 2, "shards": 2, "zero_allow_untested_optimizer": true, "offload_optimizer": {"device": "cpu"}}"#,
        "strategies.zero.offload_optimizer"
      ),
      (
        "muon", #"{"stage": 2, "shards": 2, "zero_allow_untested_optimizer": true}"#,
        "optimizer.name"
      ),
    ])
  func optimizers(_ optimizer: String, _ zero: String, _ place: String) {
    #expect {
      _ = try Planner.plan(try scenario(zero, optimizer: optimizer))
    } throws: {
      ($0 as? PlanError)?.path == place
    }
  }

  // Of 147,776 parameters each of two ranks updates 73,888: two bytes instead of four for the master weight and for each
  // of the two states.
  @Test("in bf16 halve master weights and states") func lowPrecision() throws {
    func state(_ options: String) throws -> Int {
      let report = try Planner.plan(try scenario(#"{"stage": 2, "shards": 2\#(options)}"#))
      return report.phases.first { $0.phase == .forward }?.live.count ?? 0
    }
    let low = try state(
      #", "bf16_master_weights_and_grads": true, "bf16_optimizer_states": true"#)
    #expect(try state("") - low == 3 * 2 * 73_888)
  }

  // BF16_Optimizer keeps a gradient of four bytes for each of the 147,776 parameters from step to step.
  @Test("in stage 1 keep fp32 gradients of the whole model") func wide() throws {
    func state(_ options: String) throws -> Int {
      let report = try Planner.plan(try scenario(#"{"stage": 1, "shards": 2\#(options)}"#))
      return report.phases.first { $0.phase == .forward }?.live.count ?? 0
    }
    #expect(try state(#", "grad_accum_dtype": "fp32""#) - state("") == 4 * 147_776)
  }

  @Test("larger than any machine are refused, not added up", arguments: [1, 2, 3])
  func overflow(_ stage: Int) throws {
    let huge = """
      {"schema": 1, "model": {"model_type": "llama", "vocab_size": 1000000, "hidden_size": 1000000,
      "intermediate_size": 10000000, "num_hidden_layers": 1000, "num_attention_heads": 100,
      "num_key_value_heads": 100}, "workload": {"micro_batch_size": 1, "sequence_length": 32},
      "strategies": {"zero": {"stage": \(stage), "shards": 1000000, "reduce_bucket_size": 1e12}},
      "hardware": {"device": "h100-sxm"}}
      """
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(try JSONReader.read([UInt8](huge.utf8)))
    #expect(throws: PlanError.self) { try Planner.plan(scenario) }
  }

  // 147,776 parameters: 2 × 32,768 of embedding and head, 2 layers of 4 × 4,096 + 3 × 8,192 + 128, and 64. Each of two
  // ranks has 73,888. On the host: pinned weights and gradients of 4 bytes in blocks of 2¹⁹, the weights on their way
  // back of 2 bytes in one of 2¹⁸, the largest gradient of 65,536 bytes, and two states of 4 bytes.
  @Test("put on the host what ZeRO-Offload does") func host() throws {
    let report = try Planner.plan(
      try scenario(#"{"stage": 2, "shards": 2, "offload_optimizer": {"device": "cpu"}}"#))
    #expect(report.parameters == 147_776)
    let share = 73_888
    let pinned = 2 * 524_288 + 262_144 + 65_536
    let host = try #require(report.host)
    #expect(host.needed.count == pinned + 8 * share)
    #expect(host.pinned.count == pinned)
    #expect(host.toHost.count == 4 * share)
    #expect(host.toDevice.count == 2 * share)
  }
}

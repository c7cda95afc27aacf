import Testing

@testable import Planner

@Suite("What a run takes") struct RunTests {
  private func settings(_ value: JSONValue) throws(PlanError) -> RunSettings {
    var settings = try Settings(value, path: "run", keys: RunSettings.keys)
    return try RunSettings(&settings)
  }

  private func scenario(_ extra: [(String, JSONValue)]) throws(PlanError) -> Scenario {
    let base: [(String, JSONValue)] = [
      ("model", "llama-2-7b"), ("workload", ["micro_batch_size": 1, "sequence_length": 512]),
      ("hardware", ["device": "a100-80gb-sxm"]),
    ]
    let members = base.filter { one in !extra.contains { $0.0 == one.0 } } + extra
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(.object(members.map { JSONValue.Member($0.0, $0.1) }))
  }

  // 2 × 4 × 8 = 64 sequences of 512 tokens are 32,768 tokens a step.
  private let workload = Workload(
    microBatchSize: 2, sequenceLength: 512, gradientAccumulationSteps: 4)

  @Test("counts the steps of tokens, the last one not full") func tokens() throws {
    let length = try RunLength(.tokens(1_000_000), workload, copies: 8)
    #expect(length.tokensPerStep == 32_768 && length.steps == 31 && length.tokens == 1_000_000)
    #expect(try RunLength(.tokens(32_768), workload, copies: 8).steps == 1)
    #expect(try RunLength(.tokens(32_769), workload, copies: 8).steps == 2)
    #expect(try RunLength(.steps(10), workload, copies: 8).tokens == 327_680)
  }

  @Test("counts the tokens and steps of examples, packed and one a sequence") func examples() throws
  {
    let packed = RunSettings.Length.examples(52_002, length: 100, epochs: 3, packed: true)
    let one = try RunLength(packed, workload, copies: 8)
    // 52,002 × 100 × 3 = 15,600,600 tokens; ÷ 32,768 is 476.1.
    #expect(one.tokens == 15_600_600 && one.datasetTokens == 5_200_200 && one.steps == 477)
    let alone = RunSettings.Length.examples(52_002, length: 100, epochs: 3, packed: false)
    // 156,006 sequences ÷ 64 is 2,437.6.
    #expect(try RunLength(alone, workload, copies: 8).steps == 2_438)
    let half = RunSettings.Length.examples(5, length: 100, epochs: 0.5, packed: false)
    #expect(try RunLength(half, workload, copies: 1).tokens == 300)
    let long = RunSettings.Length.examples(5, length: 513, epochs: 1, packed: false)
    #expect(throws: PlanError.self) { try RunLength(long, workload, copies: 1) }
  }

  @Test("multiplies steps, seconds, devices and prices") func arithmetic() throws {
    // Four devices, one day, 1 USD an hour: 96 USD. 4 × 400 W × 1.34 × 1.25 = 2.68 kW; 64.32 kWh at 0.10.
    let scenario = try scenario([
      ("workload", ["micro_batch_size": 1, "sequence_length": 512]),
      ("strategies", ["fsdp": ["shards": 4]]),
      (
        "hardware", ["device": "a100-80gb-sxm", "price": 10_000, "rental_per_hour": 1]
      ),
      (
        "run",
        [
          "steps": 2, "step_seconds": 43_200, "pue": 1.25, "price_per_kwh": 0.1, "years": 2,
          "utilization": 0.5, "node_price": 2000, "retrain_per_year": 10,
        ]
      ),
    ])
    let run = try #require(try Planner.plan(scenario).run)
    #expect(run.time.hours == 24 && run.time.deviceHours == 96 && run.nodes == 1)
    #expect(run.cost.rented == 96 && run.cost.currency == "USD")
    let energy = try #require(run.energy)
    #expect(abs(energy.kilowatts - 2.68) < 1e-9 && abs(energy.kilowattHours - 64.32) < 1e-9)
    #expect(abs(energy.cost - 6.432) < 1e-9)
    // 4 × 10,000 + 2,000, over 2 × 8,760 × 0.5 = 8,760 working hours.
    #expect(run.cost.hardware == 42_000)
    #expect(abs((run.cost.writtenOff ?? 0) - 42_000 * 24 / 8_760) < 1e-9)
    #expect(abs((run.cost.bought ?? 0) - (42_000 * 24 / 8_760 + 6.432)) < 1e-9)
    // Renting costs 4 an hour, owning 0.268: 42,000 ÷ 3.732.
    #expect(abs((run.cost.breakEvenHours ?? 0) - 11_254.019_29) < 1e-4)
    #expect(run.cost.rentedPerYear == 960)
    #expect(abs((run.cost.boughtPerYear ?? 0) - (21_000 + 64.32)) < 1e-9)
  }

  @Test("sets 6ND beside the exact count") func work() throws {
    let scenario = try scenario([("run", ["tokens": 2_000_000_000_000])])
    let run = try #require(try Planner.plan(scenario).run)
    // 6 × 6,738,415,616 × 2·10¹²: 8.086 × 10²².
    #expect(run.work.sixND.count == Int128(6) * 6_738_415_616 * 2_000_000_000_000)
    // Without the embedding's 131,072,000 weights and with little attention, it is a bit less.
    #expect(run.work.overRule > 0.97 && run.work.overRule < 1.03)
    #expect(run.work.flops == run.work.modelFLOPs)
    let again = try Planner.plan(
      try self.scenario([
        ("run", ["steps": 1]), ("strategies", ["checkpointing": ["policy": "full"]]),
      ]))
    let work = try #require(again.run).work
    let share = Double(work.flops.count) / Double(work.modelFLOPs.count) - 1
    #expect(abs(share - again.recompute.flopsFraction) < 1e-12)
    // A third, without the head and without each layer's last product, which early stop leaves out.
    #expect(share > 0.24 && share < 0.27)
  }

  @Test("says what a checkpoint holds for each parameter") func checkpoints() throws {
    let parameters = 6_738_415_616
    func size(_ extra: [(String, JSONValue)], optimizer: Bool = true) throws -> CheckpointSize {
      try CheckpointSize(try scenario(extra), savesOptimizer: optimizer)
    }
    #expect(try size([]).bytesPerParameter(parameters) == 6)
    #expect(try size([("precision", "bf16-mixed")]).bytesPerParameter(parameters) == 12)
    #expect(try size([("precision", "32-true")], optimizer: false).total.count == 4 * parameters)
    let zero = try size([("strategies", ["zero": ["stage": 2, "shards": 8]])])
    #expect(try zero.bytesPerParameter(parameters) == 14)
    // Rank 8 on q_proj and v_proj of 32 layers: 2 × 32 × 8 × (4096 + 4096) parameters, 12 bytes each.
    let lora: JSONValue = [
      "lora": ["rank": 8, "target_modules": ["q_proj", "v_proj"], "base_quantization": "nf4"]
    ]
    let adapters = try size([("strategies", lora)])
    #expect(try adapters.total.count == 4_194_304 * 12)
    #expect(adapters.model.count == 2 * parameters + 4_194_304 * 4)
  }

  @Test("adds up what lies on the disk") func storage() throws {
    let scenario = try scenario([
      ("run", ["examples": 1000, "length": 100, "epochs": 2, "checkpoint_every": 100]),
      ("workload", ["micro_batch_size": 1, "sequence_length": 200]),
    ])
    let storage = try #require(try Planner.plan(scenario).run).storage
    let model = 2 * 6_738_415_616
    #expect(storage.dataset.count == 400_000 && storage.written == 10 && storage.kept == 2)
    #expect(storage.logs.count == 150_000)
    #expect(storage.total.count == 400_000 + model + 2 * 3 * model + 150_000)
    #expect(storage.read.count == model + 800_000)
    #expect(storage.sent.count == 10 * 3 * model + 150_000 && storage.exchanged == 0)
  }

  @Test(
    "refuses what says nothing, or the same thing twice",
    arguments: [
      "{}", #"{"tokens": 1, "steps": 2}"#, #"{"tokens": 1, "epochs": 2}"#, #"{"examples": 5}"#,
      #"{"tokens": 0}"#, #"{"tokens": 1.5}"#, #"{"tokens": 1e30}"#, #"{"tokens": "many"}"#,
      #"{"tokens": 1, "pue": 0.5}"#, #"{"tokens": 1, "currency": "euro"}"#, #"{"token": 1}"#,
      #"{"tokens": 1, "years": 0}"#,
    ])
  func refusals(_ text: String) throws {
    #expect(throws: PlanError.self) { try settings(try JSONReader.read(text)) }
    do { _ = try settings(try JSONReader.read(text)) } catch {
      #expect(error.path.hasPrefix("run") && !error.fix.isEmpty, "\(error)")
    }
  }

  @Test("gives an error for a run beyond what a plan can hold, never a trap") func huge() throws {
    let huge: JSONValue = ["tokens": 1_000_000_000_000_000_000, "bytes_per_token": 1_000_000_000]
    #expect(throws: PlanError.self) { try Planner.plan(try scenario([("run", huge)])) }
    let slow: JSONValue = ["steps": 1_000_000_000_000_000_000, "step_seconds": 1e9]
    #expect(throws: PlanError.self) { try Planner.plan(try scenario([("run", slow)])) }
    let examples: JSONValue = [
      "examples": 1_000_000_000_000_000_000, "length": 100_000_000, "epochs": 0.5,
    ]
    #expect(throws: PlanError.self) { try Planner.plan(try scenario([("run", examples)])) }
  }
}

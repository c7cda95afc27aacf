import Testing

@testable import Planner

/// What recomputation was measured to cost, beside what is planned for it.
///
/// Measured times have communication, padding and kernels far from their peak; a plan has the arithmetic alone. So
/// full recomputation is held to the range of all measurements, 18.5 % (DeepSpeedExamples, 6.9B, ZeRO-3) to 43.6 %
/// (ms-swift, Qwen-7B, LoRA), and only Korthikanti's layer, timed by itself, to its own figure.
@Suite("Published costs of recomputation") struct RecomputeOverheadTests {
  struct Run: Sendable, CustomStringConvertible {
    let description: String
    let scenario: JSONValue
    /// Measured time with recomputation ÷ without, minus 1.
    let measured: Double
  }

  private static func run(
    _ description: String, _ model: JSONValue, batch: Int = 1, sequence: Int,
    precision: String = "bf16-true", strategies: JSONValue = [:], device: String = "a100-80gb-sxm",
    attention: String = "sdpa", measured: Double
  ) -> Run {
    guard case .object(let others) = strategies else { preconditionFailure() }
    return Run(
      description: description,
      scenario: [
        "schema": 1, "model": model, "precision": .string(precision),
        "attention": .string(attention),
        "workload": [
          "micro_batch_size": .integer(batch), "sequence_length": .integer(sequence),
        ],
        "strategies": .object(others), "hardware": ["device": .string(device)],
      ], measured: measured)
  }

  static let full: [Run] = [
    run(
      "torchtune, Llama-3.2-3B, A100: 9174 to 7210 tokens/s", "llama-3.2-3b", sequence: 4096,
      strategies: ["checkpointing": ["policy": "full"]], measured: 0.27),
    run(
      "LLaMA-7B, 8 A800, ZeRO-2: 5.33 to 4.19", "llama-2-7b", sequence: 4096,
      strategies: ["checkpointing": ["policy": "full"]], measured: 0.27),
    run(
      "ms-swift, a 7B under LoRA, A100: 6.19 to 4.31 samples/s", "llama-2-7b", sequence: 2048,
      strategies: ["lora": ["rank": 8], "checkpointing": ["policy": "full"]], measured: 0.436),
    run(
      "bigscience tr3m, GPT-1.3B, V100: 23 to 29 s",
      ["model_type": "gpt2", "n_embd": 2048, "n_layer": 24, "n_head": 16, "n_positions": 2048],
      sequence: 2048, precision: "16-true",
      strategies: ["checkpointing": ["policy": "full"]], device: "v100-sxm2-32gb", measured: 0.26),
  ]

  private func overhead(_ run: Run) throws -> Double {
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no files here", path: path, fix: "")
    }.read(run.scenario)
    return try Planner.plan(scenario, .tensors).recompute.timeFraction
  }

  @Test("full recomputation lies between the measured bounds", arguments: full)
  func bounds(_ run: Run) throws {
    let planned = try overhead(run)
    #expect((0.185...0.436).contains(planned), "\(planned), measured \(run.measured)")
  }

  /// A layer of the 22B model in table 4 of Korthikanti 2022, arXiv:2205.05198: 19.6 ms without and 27.2 ms with
  /// full recomputation; there it lies on eight devices with tensor parallelism, here on one.
  @Test("Korthikanti's 22B layer lies within five points of the measured 38.8 %")
  func korthikanti() throws {
    let planned = try overhead(
      Self.run(
        "22B",
        [
          "model_type": "gpt2", "n_embd": 6144, "n_head": 64, "n_layer": 48, "n_positions": 2048,
          "vocab_size": 51200,
        ], batch: 4, sequence: 2048, precision: "16-true",
        strategies: ["checkpointing": ["policy": "full", "reentrant": true]], attention: "eager",
        measured: 27.2 / 19.6 - 1))
    #expect(abs(planned - (27.2 / 19.6 - 1)) < 0.05, "\(planned)")
  }

  /// torchtitan, Llama-2-13B on 64 A100: 2162 tokens/s without, 1914 with every second layer checkpointed.
  @Test("every second layer costs within five points of torchtitan's 13.0 %")
  func everySecond() throws {
    let planned = try overhead(
      Self.run(
        "13B", "llama-2-13b", batch: 2, sequence: 4096,
        strategies: ["checkpointing": ["policy": "every", "interval": 2, "early_stop": false]],
        measured: 2162.0 / 1914 - 1))
    #expect(abs(planned - (2162.0 / 1914 - 1)) < 0.05, "\(planned)")
  }
}

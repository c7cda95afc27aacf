import Testing

@testable import Planner

@Suite("PyTorch's own figures for YaFSDP") struct YaFSDPReferenceTests {
  static let cases = Fixtures.cases("yafsdp")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks()
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("nor do random scenarios of all families") func random() throws {
    var compared = 0
    for seed in 0..<300 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      let text = """
        {"shards": \([2, 7, 64][Int(seed % 3)]), "zero_stage": \(seed % 2 + 2),
         "bit16_reduce_scatter": \(seed % 5 == 0)}
        """
      var settings = try Settings(
        try JSONReader.read(text), path: "strategies.yafsdp", keys: YaFSDP.keys)
      scenario.strategies.append(try YaFSDP(&settings))
      do {
        _ = try Planner.plan(scenario)
      } catch { continue }
      try scenario.expectFoldingChangesNothing("seed \(seed)")
      compared += 1
    }
    #expect(compared > 30, "\(compared)")
  }

  /// A run that its authors published, one sequence on each A100 with 80 GB, the first layers checkpointed.
  ///
  /// Source: the table in README.md of github.com/yandex/YaFSDP, commit ddfdda4.
  struct Run: Sendable, CustomTestStringConvertible {
    /// Layers, hidden size, MLP, vocabulary, query heads, key heads.
    var sizes: [Int]
    var devices: Int
    var tokens: Int
    var checkpointed = 0
    var testDescription: String { "\(sizes[0]) layers, \(devices) devices, \(tokens) tokens" }
  }

  private static let llama2 = (
    small: [32, 4096, 11008, 32000, 32, 32], middle: [40, 5120, 13824, 32000, 40, 40],
    large: [48, 8192, 22016, 32000, 64, 8], largest: [80, 8192, 28672, 32000, 64, 8]
  )
  private static let llama3 = (
    small: [32, 4096, 14336, 128256, 32, 8], largest: [80, 8192, 28672, 128256, 64, 8]
  )

  @Test(
    "let its authors' runs fit",
    arguments: [
      Run(sizes: llama2.small, devices: 64, tokens: 2048),
      Run(sizes: llama2.small, devices: 64, tokens: 4096),
      Run(sizes: llama2.small, devices: 64, tokens: 8192),
      Run(sizes: llama2.small, devices: 128, tokens: 2048),
      Run(sizes: llama2.small, devices: 128, tokens: 4096),
      Run(sizes: llama2.small, devices: 128, tokens: 8192),
      Run(sizes: llama2.middle, devices: 128, tokens: 2048),
      Run(sizes: llama2.middle, devices: 128, tokens: 4096),
      Run(sizes: llama2.large, devices: 128, tokens: 2048),
      Run(sizes: llama2.large, devices: 256, tokens: 2048),
      Run(sizes: llama2.large, devices: 256, tokens: 4096, checkpointed: 5),
      Run(sizes: llama2.largest, devices: 256, tokens: 2048, checkpointed: 10),
      Run(sizes: llama2.largest, devices: 256, tokens: 4096, checkpointed: 50),
      Run(sizes: llama3.small, devices: 64, tokens: 2048),
      Run(sizes: llama3.small, devices: 64, tokens: 4096),
      Run(sizes: llama3.largest, devices: 256, tokens: 2048, checkpointed: 20),
    ])
  func published(_ run: Run) throws {
    let checkpoints =
      run.checkpointed > 0
      ? ", \"checkpointing\": {\"policy\": \"first\", \"layers\": \(run.checkpointed)}" : ""
    let text = """
      {"schema": 1, "model": {"model_type": "llama", "num_hidden_layers": \(run.sizes[0]),
        "hidden_size": \(run.sizes[1]), "intermediate_size": \(run.sizes[2]),
        "vocab_size": \(run.sizes[3]), "num_attention_heads": \(run.sizes[4]),
        "num_key_value_heads": \(run.sizes[5]), "tie_word_embeddings": false},
       "workload": {"micro_batch_size": 1, "sequence_length": \(run.tokens)},
       "precision": "bf16-true", "strategies": {"yafsdp": {"shards": \(run.devices)}\(checkpoints)},
       "hardware": {"device": "a100-80gb-sxm", "devices": \(run.devices)}}
      """
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file", path: path, fix: "")
    }.read(try JSONReader.read(text))
    #expect(try Planner.plan(scenario).fits)
  }
}

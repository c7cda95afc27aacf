import Testing

@testable import Planner

/// Techniques whose figures are in files of their own.
@Suite("PyTorch's own figures for more techniques") struct TechniqueTests {
  static let cases = ["low-rank-optimizers", "float8", "loss-scaler", "whole-replay"].flatMap {
    Fixtures.cases($0)
  }

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 61) }
}

@Suite("Low-rank and 8-bit techniques refuse") struct TechniqueErrorTests {
  private func error(_ changes: JSONValue.Member...) -> PlanError? {
    let base: [JSONValue.Member] = [
      .init("model", "llama-3.2-1b"),
      .init("workload", ["micro_batch_size": 1, "sequence_length": 128]),
      .init("hardware", ["device": "h100-sxm"]),
    ]
    let keys = changes.map(\.key)
    do {
      let scenario = try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no files", path: path, fix: "")
      }.read(.object(base.filter { !keys.contains($0.key) } + changes))
      _ = try Planner.plan(scenario)
      return nil
    } catch { return error }
  }

  @Test("modules that no linear layer has, patterns, and adapters") func lowRank() {
    #expect(error(.init("optimizer", "galore-adamw")) == nil)
    for target: JSONValue in [["atn"], ["layers.*.attn"], [""]] {
      let optimizer: JSONValue = ["name": "apollo-adamw", "target_modules": target]
      #expect(error(.init("optimizer", optimizer))?.path == "optimizer.target_modules")
    }
    let adapters: JSONValue = ["lora": ["rank": 8]]
    #expect(
      error(.init("optimizer", "galore-adamw"), .init("strategies", adapters))?.kind == .conflict)
  }

  @Test("compiled steps and packing, with what to do instead") func statements() {
    #expect(error(.init("compile", true))?.path == "compile")
    #expect(error(.init("compile", false)) == nil)
    let packed: JSONValue = ["micro_batch_size": 1, "sequence_length": 128, "packing": true]
    #expect(error(.init("workload", packed))?.path == "workload.packing")
  }

  @Test("devices without 8-bit products, adapters, and odd numbers of tokens") func float8() {
    let precision = JSONValue.Member("precision", "fp8-mixed")
    #expect(error(precision) == nil)
    #expect(
      error(precision, .init("hardware", ["device": "a100-80gb-sxm"]))?.path == "precision")
    #expect(error(precision, .init("strategies", ["lora": ["rank": 8]]))?.kind == .conflict)
    let odd: JSONValue = ["micro_batch_size": 1, "sequence_length": 127]
    #expect(error(precision, .init("workload", odd))?.path == "workload.sequence_length")
  }

  /// By hand for a 4,096 × 1,024 gradient in bf16 at rank 128, with GaLore: two moments of 4,096 × 128 and a
  /// projection of 1,024 × 128; with APOLLO the norm of the last update as well.
  @Test(
    "nothing else: their states are those of the low rank",
    arguments: [
      ("galore-adamw", 2 * 1_048_576 + 262_144), ("apollo-adamw", 2 * 1_048_576 + 262_144 + 2),
      ("galore-adamw-8bit", 2 * (524_288 + 8192) + 4 + 262_144),
    ])
  func states(name: String, expected: Int) throws {
    let type = try #require(Optimizers.named(name))
    var settings = try Settings([:], path: "optimizer", keys: type.keys)
    let optimizer = try type.init(&settings)
    let weight = TrainedWeight(
      name: "mlp.up_proj.weight", spec: try TensorSpec(4096, 1024, .bf16), isLinear: true)
    #expect(try optimizer.states(of: weight).reduce(0) { $0 + $1.bytes } == expected)
    let table = TrainedWeight(name: "embed_tokens.weight", spec: weight.spec, isLinear: false)
    #expect(try optimizer.states(of: table).reduce(0) { $0 + $1.bytes } > expected)
  }
}

@Suite("What is on the device while a checkpoint is quantized") struct LoadingPeakTests {
  private func report(
    _ format: String?, _ double: Bool = false, of model: JSONValue = "llama-2-7b"
  ) throws -> Report {
    var lora: [JSONValue.Member] = [.init("rank", 8)]
    if let format { lora.append(.init("base_quantization", .string(format))) }
    if let format, format != "int8" { lora.append(.init("double_quantization", .bool(double))) }
    let scenario: JSONValue = [
      "model": model, "workload": ["micro_batch_size": 1, "sequence_length": 128],
      "strategies": ["lora": .object(lora)],
    ]
    return try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no files", path: path, fix: "")
      }.read(scenario))
  }

  /// By hand for Llama 2 7B: 6,476,005,376 elements in 224 projections, 262,410,240 others in bf16.
  ///
  /// A 4-bit projection has a scale in fp32 for 64 elements and a table of 16 values; the largest has 11,008 × 4,096.
  @Test("is the quantized weights with the largest one in 16 bits") func single() throws {
    let loading = try #require(try report("nf4").loading)
    let weights = 3_238_002_688 + 404_750_336 + 224 * 64 + 2 * 262_410_240
    #expect(loading.live.count == weights + 2 * 45_088_768)
  }

  /// With 8 bits there is a scale in fp32 for each row, and a second copy in fp16: 1,359,872 rows in all.
  @Test("has a copy in fp16 where 8-bit integers are made") func integers() throws {
    let loading = try #require(try report("int8").loading)
    let weights = 6_476_005_376 + 4 * 1_359_872 + 2 * 262_410_240
    #expect(loading.live.count == weights + 4 * 45_088_768)
  }

  /// `from_pretrained` of transformers 5.17 with bitsandbytes 0.50.2, PyTorch's allocator on the stand-in driver: a bf16
  /// checkpoint of a Llama with four layers of 1,024 and 2,816.
  @Test(
    "is not less than what the loader took, and at most one weight more",
    arguments: [
      ("nf4", false, 40_517_188), ("nf4", true, 38_702_944), ("int8", false, 67_082_240),
    ])
  func measured(format: String, double: Bool, bytes: Int) throws {
    let llama: JSONValue = [
      "model_type": "llama", "vocab_size": 2000, "hidden_size": 1024, "intermediate_size": 2816,
      "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 8,
      "tie_word_embeddings": false,
    ]
    let loading = try #require(try report(format, double, of: llama).loading)
    #expect(loading.live.count >= bytes)
    #expect(loading.live.count <= bytes + 2 * 2816 * 1024)
  }

  @Test("is part of what the device must offer, and is not there without quantization")
  func need() throws {
    #expect(try report(nil).loading == nil)
    let quantized = try report("nf4", true)
    let loading = try #require(quantized.loading)
    #expect(quantized.need == max(loading.device, quantized.peak.device))
  }
}

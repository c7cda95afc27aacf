import Testing

@testable import Planner
@testable import plan

@Suite("Answers of the whole tool") struct AnswerTests {
  private static let lora = [
    "--model", "llama-2-7b", "--device", "rtx-4090", "--lora-rank", "16", "--checkpointing", "full",
    "--micro-batch-size", "1", "--sequence-length", "2048",
  ]
  private static let full = [
    "--model", "llama-2-7b", "--device", "h100-sxm", "--micro-batch-size", "8",
    "--sequence-length", "2048",
  ]

  private func run(_ words: [String], input: String = "") -> Tool.Answer {
    Tool.run(FakeWorld.invocation(words, input: input))
  }

  @Test("a run that fits: exit code 0 and one screen") func fits() throws {
    let answer = run(["fit"] + Self.lora)
    #expect(answer.exitCode == .answered)
    #expect(answer.output.split(separator: "\n").count <= 36)
    try Goldens.expect(answer.output, as: "fit-llama-2-7b-lora-rtx-4090")
  }

  @Test("a run that does not fit: exit code 1, and what would make it fit") func doesNotFit() throws
  {
    let answer = run(["fit"] + Self.full)
    #expect(answer.exitCode == .doesNotFit)
    try Goldens.expect(answer.output, as: "fit-llama-2-7b-full-h100")
  }

  @Test("the same as JSON") func json() throws {
    let answer = run(["fit", "--format", "json"] + Self.lora)
    #expect(answer.exitCode == .answered)
    try Goldens.expect(answer.output, as: "fit-llama-2-7b-lora-rtx-4090-json")
  }

  @Test("the ladder of techniques") func ladder() throws {
    let answer = run(["compare"] + Self.lora)
    #expect(answer.exitCode == .answered)
    try Goldens.expect(answer.output, as: "compare-llama-2-7b-lora-rtx-4090")
  }

  @Test("the checkpointing policies, and the one to use") func checkpoints() throws {
    let words = [
      "--model", "llama-2-7b", "--device", "h100-sxm", "--lora-rank", "16", "--micro-batch-size",
      "4", "--sequence-length", "2048", "--budget", "40GiB",
    ]
    let answer = run(["checkpoint"] + words)
    #expect(answer.exitCode == .answered)
    #expect(answer.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    try Goldens.expect(answer.output, as: "checkpoint-llama-2-7b-lora-40gib")
    let json = run(["checkpoint", "--format", "json"] + words)
    try Goldens.expect(json.output, as: "checkpoint-llama-2-7b-lora-40gib-json")
    let tight = run(["checkpoint"] + words.dropLast() + ["10GiB"])
    #expect(tight.exitCode == .doesNotFit && tight.output.contains("would fit with"))
    let wrong = run(["checkpoint", "--budget", "18"] + words.dropLast(2))
    #expect(wrong.exitCode == .wrongInput && wrong.errors.contains("is no size"))
  }

  @Test("every answer is the same on every run") func deterministic() {
    for words in [["fit"] + Self.full, ["compare"] + Self.lora, ["show", "models"]] {
      #expect(run(words) == run(words))
    }
  }

  @Test("numbers far outside what exists give one error, never a trap") func hugeNumbers() {
    let sizes = [
      "1", "0", "-1", "1000000", "100000000", "9223372036854775807", "-9223372036854775808",
      "99999999999999999999", "1e400", "1e18", "1.5", "true", "null", "\"7\"", "[]", "{}",
    ]
    let keys = [
      "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
      "num_key_value_heads", "head_dim", "vocab_size", "micro_batch_size", "sequence_length",
      "gradient_accumulation_steps", "rank", "devices", "gradient_clipping", "interval",
    ]
    func scenario(_ key: String, _ size: String) -> String {
      func value(_ name: String, _ usual: String) -> String {
        "\"\(name)\": " + (name == key ? size : usual)
      }
      return """
        { "schema": 1,
          "model": { "model_type": "llama", \(value("hidden_size", "4096")),
            \(value("intermediate_size", "11008")), \(value("num_hidden_layers", "32")),
            \(value("num_attention_heads", "32")), \(value("num_key_value_heads", "32")),
            \(value("head_dim", "128")), \(value("vocab_size", "32000")) },
          "workload": { \(value("micro_batch_size", "1")), \(value("sequence_length", "2048")),
            \(value("gradient_accumulation_steps", "1")) },
          \(value("gradient_clipping", "1")),
          "strategies": { "lora": { \(value("rank", "16")) },
            "checkpointing": { "policy": "every", \(value("interval", "2")) } },
          "hardware": { "device": "h100-sxm", \(value("devices", "1")) } }
        """
    }
    for key in keys {
      for size in sizes {
        let answer = run(["fit", "-", "--format", "json"], input: scenario(key, size))
        #expect(answer.exitCode != .defect, "\(key) \(size): \(answer.errors)")
        if answer.exitCode == .wrongInput {
          #expect(answer.errors.hasPrefix("error: "), "\(key) \(size)")
          #expect(answer.errors.contains("\n  fix: "), "\(key) \(size)")
        }
      }
    }
  }

  @Test("all sizes at their largest at once give an error, not a trap") func everythingHuge() {
    let answer = run(
      ["fit", "-"],
      input: """
        { "schema": 1,
          "model": { "model_type": "qwen3", "hidden_size": 1000000, "intermediate_size": 10000000,
            "num_hidden_layers": 100000, "num_attention_heads": 100000,
            "num_key_value_heads": 100000, "head_dim": 100000, "vocab_size": 10000000 },
          "workload": { "micro_batch_size": 1000000, "sequence_length": 100000000,
            "gradient_accumulation_steps": 1000000 },
          "precision": "bf16-mixed", "attention": "eager" }
        """)
    #expect(answer.exitCode == .wrongInput)
    #expect(answer.errors.contains("than a plan can hold"))
  }

  @Test("random sizes up to the largest allowed never trap") func randomHuge() {
    var g = SplitMix(state: 3)
    func size(_ largest: Double) -> Int {
      // Uniform in the logarithm, so that small and huge ones mix.
      var value = 1.0
      let steps = Double.random(in: 0...1, using: &g)
      for _ in 0..<64 { value *= 1 + (steps * (largest.exponentOf2 / 64)) }
      return Int(min(value, largest))
    }
    var scenarios: [String] = []
    for _ in 0..<3000 {
      let families = ["llama", "mistral", "qwen2", "qwen3"]
      let precisions = ["32-true", "bf16-true", "16-true", "bf16-mixed", "16-mixed"]
      let text = """
        { "schema": 1,
          "model": { "model_type": "\(families.randomElement(using: &g) ?? "")",
            "hidden_size": \(size(1e6)), "intermediate_size": \(size(1e7)),
            "num_hidden_layers": \(size(1e5)), "num_attention_heads": \(size(1e5)),
            "num_key_value_heads": 1, "head_dim": \(2 * size(5e4)), "vocab_size": \(size(1e7)),
            "sliding_window": \(size(1e8)) },
          "workload": { "micro_batch_size": \(size(1e6)), "sequence_length": \(size(1e8)),
            "gradient_accumulation_steps": \(size(1e6)) },
          "precision": "\(precisions.randomElement(using: &g) ?? "")",
          "attention": "\(Bool.random(using: &g) ? "sdpa" : "eager")",
          "gradient_clipping": 1,
          "strategies": { "lora": { "rank": \(size(65536)), "dropout": 0.1 },
            "checkpointing": { "policy": "every", "interval": \(size(1e5)) } },
          "hardware": { "device": "\(Bool.random(using: &g) ? "h100-sxm" : "rtx-4090")" } }
        """
      scenarios.append(text)
    }
    let all = "[" + scenarios.joined(separator: ",") + "]"
    let answer = run(["fit", "-", "--format", "json"], input: all)
    #expect(answer.exitCode == .wrongInput, "\(answer.errors)")
  }

  @Test("damaged scenarios give one error each, never a trap") func damaged() throws {
    let whole = Array(
      """
      { "schema": 1, "model": "llama-2-7b", "workload": { "micro_batch_size": 1,
        "sequence_length": 2048 }, "strategies": { "lora": { "rank": 16 } } }
      """.utf8)
    var generator = SplitMix(state: 11)
    for length in 0..<whole.count {
      let cut = String(decoding: whole.prefix(length), as: UTF8.self)
      #expect(run(["fit", "-"], input: cut).exitCode == .wrongInput, "cut at \(length)")
    }
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[at] = UInt8.random(in: 0...255, using: &generator)
      }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(run(["fit", "-"], input: text).exitCode != .defect, "\(text)")
    }
  }
}

extension Double {
  /// The exponent that makes 64 factors reach this number.
  fileprivate var exponentOf2: Double { Double(exponent) * 0.9 }
}

/// A small seeded generator, so that a failing seed can be run again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

import Testing

@testable import Planner

@Suite("Choosing kernels and a loss") struct KernelChoiceTests {
  private static let small: [JSONValue.Member] = [
    .init("hidden_size", 64), .init("intermediate_size", 128), .init("num_hidden_layers", 2),
    .init("num_attention_heads", 2), .init("num_key_value_heads", 2), .init("vocab_size", 100),
  ]

  private static func read(
    _ family: String, config keys: [JSONValue.Member] = [], workload: [JSONValue.Member] = [],
    _ more: [JSONValue.Member] = []
  ) throws -> Scenario {
    let rest = small.filter { member in !keys.contains { $0.key == member.key } }
    let config = JSONValue.object([.init("model_type", .string(family))] + keys + rest)
    let sizes: [JSONValue.Member] = [
      .init("micro_batch_size", 2), .init("sequence_length", 16),
    ]
    return try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(.object([.init("model", config), .init("workload", .object(sizes + workload))] + more))
  }

  private static func refusal(_ plan: () throws -> Void) -> PlanError? {
    do { try plan() } catch let error as PlanError { return error } catch { return nil }
    return nil
  }

  @Test("takes PyTorch's kernels and today's loss by default") func defaults() throws {
    let scenario = try Self.read("llama")
    #expect(scenario.kernelSet == .torch)
    #expect(scenario.loss == .transformers)
  }

  @Test("reads each loss") func losses() throws {
    func loss(_ value: JSONValue) throws -> LossImplementation {
      try Self.read("llama", [.init("loss", value)]).loss
    }
    #expect(try loss(["implementation": "transformers-4.48"]) == .transformers448)
    #expect(try loss(["implementation": "chunked"]) == .chunked(8))
    #expect(try loss(["implementation": "chunked", "chunks": 3]) == .chunked(3))
    #expect(try loss([:]) == .transformers)
  }

  @Test("covers the Llama lineage with Liger", arguments: ["llama", "mistral", "qwen2", "qwen3"])
  func liger(family: String) throws {
    let torch = try Planner.plan(try Self.read(family))
    let liger = try Planner.plan(try Self.read(family, [.init("kernels", "liger")]))
    #expect(liger.peak.live <= torch.peak.live)
    #expect(liger.parameters == torch.parameters)
    #expect(liger.assumptions.contains { $0.name == "liger" })
  }

  @Test("names the families where Liger's kernels are not planned", arguments: ["gemma", "gpt2"])
  func otherFamily(family: String) {
    let error = Self.refusal { _ = try Self.read(family, [.init("kernels", "liger")]) }
    #expect(error?.kind == .unsupported)
    #expect(error?.path == "kernels")
    #expect(error?.fix == "Use \"torch\", or a model of: llama, mistral, qwen2, qwen3.")
  }

  @Test("refuses a loss beside Liger's own") func twoLosses() {
    let error = Self.refusal {
      _ = try Self.read("llama", [.init("kernels", "liger"), .init("loss", [:])])
    }
    #expect(error?.kind == .invalid)
    #expect(error?.path == "loss")
  }

  @Test("refuses what Liger's kernels cannot run") func limits() throws {
    let wide = try Self.read(
      "llama", config: [.init("intermediate_size", 65_537)], [.init("kernels", "liger")])
    #expect(Self.refusal { _ = try Planner.plan(wide) }?.kind == .unsupported)
    let biased = try Self.read(
      "llama", config: [.init("mlp_bias", true)], [.init("kernels", "liger")])
    #expect(Self.refusal { _ = try Planner.plan(biased) }?.kind == .unsupported)
  }

  @Test("refuses an older loss of models that had one of their own", arguments: ["gpt2", "opt"])
  func ownLoss(family: String) {
    let error = Self.refusal {
      _ = try Self.read(family, [.init("loss", ["implementation": "transformers-4.48"])])
    }
    #expect(error?.kind == .unsupported)
    #expect(error?.path == "loss.implementation")
  }

  @Test("refuses chunks that are kept, or more of them than tokens") func chunks() throws {
    let chunked = JSONValue.Member("loss", ["implementation": "chunked", "chunks": 17])
    let kept = Self.refusal {
      _ = try Self.read("llama", workload: [.init("keep_outputs", true)], [chunked])
    }
    #expect(kept?.kind == .unsupported)
    let many = try Self.read("llama", [chunked])
    #expect(Self.refusal { _ = try Planner.plan(many) }?.path == "loss.chunks")
  }
}

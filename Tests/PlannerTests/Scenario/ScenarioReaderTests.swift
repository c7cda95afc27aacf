import Testing

@testable import Planner

@Suite("Reading a scenario") struct ScenarioReaderTests {
  static let smallest: JSONValue = [
    "model": ["model_type": "fake", "size": 4, "unrelated": true],
    "workload": ["micro_batch_size": 1, "sequence_length": 2048],
  ]

  static func read(_ changes: (String, JSONValue)...) throws(PlanError) -> Scenario {
    var value = smallest
    for (key, change) in changes { value = value.replacing(key, with: change) }
    return try reader().read(value)
  }

  static func reader() -> ScenarioReader {
    var reader = ScenarioReader { (path) throws(PlanError) in
      switch path {
      case "models/tiny/config.json", "tiny.json": return ["model_type": "fake", "size": 8]
      case "bad.json": return ["model_type": "fake", "size": -1]
      case "other.json": return ["model_type": "fakee"]
      case "list.json": return [1]
      default: throw PlanError(.unreadable, "no such file", path: path, fix: "Look.")
      }
    }
    reader.families = [FakeFamily.self]
    reader.strategies = [Late.self, Early.self, AlsoEarly.self]
    return reader
  }

  @Test("takes a default for everything but model and workload, and says so")
  func defaults() throws {
    let scenario = try Self.read()
    #expect(scenario.name.hasPrefix("fake on "))
    #expect((scenario.model.family as? FakeFamily)?.size == 4)
    #expect(scenario.precision == .bf16True && scenario.attention == .sdpa)
    #expect(scenario.optimizer.label == "AdamW (foreach)")
    #expect(scenario.gradientClipping == nil && scenario.strategies.isEmpty)
    #expect(scenario.device.id == "h100-sxm" && scenario.devices == nil)
    #expect(scenario.allocator == AllocatorSettings())
    #expect(scenario.workload.gradientAccumulationSteps == 1)
    let taken = [
      "gradient_accumulation_steps", "keep_outputs", "precision", "attention", "optimizer",
      "gradient_clipping", "strategies", "device", "devices",
    ]
    #expect(scenario.defaults.map(\.name) == taken.map { "default_\($0)" })
    #expect(scenario.defaults.allSatisfy { $0.source == "default" && !$0.text.isEmpty })
  }

  @Test("keeps what is said")
  func said() throws {
    let scenario = try Self.read(
      ("schema", 1), ("name", "mine"), ("precision", "16-mixed"), ("attention", "eager"),
      ("kernels", "torch"), ("framework", "torch"), ("loss", ["implementation": "transformers"]),
      ("optimizer", ["name": "adamw", "implementation": "fused"]), ("gradient_clipping", 1),
      ("strategies", [:]), ("hardware", ["device": "rtx-4090", "devices": 1]),
      ("allocator", ["expandable_segments": true, "max_split_size_mb": 128]),
      (
        "workload",
        [
          "micro_batch_size": 3, "sequence_length": 5, "gradient_accumulation_steps": 2,
          "keep_outputs": true,
        ]
      ))
    #expect(scenario.name == "mine" && scenario.precision == .fp16Mixed)
    #expect(scenario.attention == .eager && scenario.optimizer.label == "AdamW (fused)")
    #expect(scenario.gradientClipping == 1 && scenario.device.id == "rtx-4090")
    #expect(scenario.allocator.expandableSegments && scenario.allocator.maxSplitSizeMiB == 128)
    let expected = Workload(
      microBatchSize: 3, sequenceLength: 5, gradientAccumulationSteps: 2, keepOutputs: true)
    #expect(scenario.workload == expected)
    #expect(scenario.defaults.isEmpty)
  }

  @Test("takes null for a key that is left out")
  func null() throws {
    let scenario = try Self.read(("gradient_clipping", nil), ("optimizer", nil))
    #expect(scenario.gradientClipping == nil)
    #expect(!scenario.defaults.contains { $0.name == "default_gradient_clipping" })
    #expect(scenario.defaults.contains { $0.name == "default_optimizer" })
  }

  @Test("finds a model by name, hub name, path of a config, or folder")
  func models() throws {
    #expect((try Self.read(("model", "tiny.json")).model.family as? FakeFamily)?.size == 8)
    #expect((try Self.read(("model", "models/tiny")).model.family as? FakeFamily)?.size == 8)
    #expect((try Self.read(("model", "models/tiny/")).model.family as? FakeFamily)?.size == 8)
    let known = try #require(ModelCatalog.all.first)
    for name in [known.id, known.hub] {
      let error = #expect(throws: PlanError.self) { try Self.read(("model", .string(name))) }
      #expect(error?.path == "model.model_type")
    }
  }

  @Test("puts strategies into the order of their stages, whatever order they are written in")
  func order() throws {
    for order in [["late", "also_early", "early"], ["early", "late", "also_early"]] {
      let written = JSONValue.object(order.map { .init($0, [:]) })
      let scenario = try Self.read(("strategies", written))
      #expect(scenario.strategies.map(\.label) == ["early 1", "also early", "late"])
    }
  }

  @Test("reads a device that the user describes")
  func ownDevice() throws {
    let scenario = try Self.read(
      (
        "hardware",
        [
          "device": [
            "name": "Card", "memory_gib": 24, "compute_capability": "8.9", "multiprocessors": 100,
            "bandwidth_GBps": 1000, "tflops": ["fp32": 80, "bf16": 160.5],
          ]
        ]
      ))
    #expect(scenario.name == "fake on Card")
    #expect(scenario.device.memory == Bytes(24 << 30) && scenario.device.computeCapability == 89)
    #expect(scenario.device.bandwidth == 1e12 && scenario.device.multiprocessors == 100)
    #expect(scenario.device.rates == .init(fp32: 80e12, fp16: 0, bf16: 160.5e12))
  }
}

extension JSONValue {
  /// The same object with another value at a key.
  func replacing(_ key: String, with value: JSONValue) -> JSONValue {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { $0.key != key } + [Member(key, value)])
  }
}

struct FakeFamily: ModelFamily {
  static let modelType = "fake"
  let size: Int
  let linearModules: [String] = []

  init(_ config: inout Settings) throws(PlanError) {
    size = try config.integer("size", in: 1...100)
  }
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    throw PlanError(.defect, "a fake has no graph", fix: "")
  }
}

private struct Late: Strategy {
  static let (name, summary) = ("late", "")
  static let keys: [SettingKey] = []
  static let stage = Stage.placement
  static let decisions: Set<Decision> = []
  let label = "late"
  init(_ settings: inout Settings) throws(PlanError) {}
  func decide(_ plan: inout TrainingPlan) throws(PlanError) {}
}

private struct Early: Strategy {
  static let (name, summary) = ("early", "")
  static let keys = [SettingKey("rank", .integer(1...8), default: 1, "a rank")]
  static let stage = Stage.precision
  static let decisions: Set<Decision> = []
  let label: String
  init(_ settings: inout Settings) throws(PlanError) {
    label = "early \(try settings.integer("rank"))"
  }
  func decide(_ plan: inout TrainingPlan) throws(PlanError) {}
}

private struct AlsoEarly: Strategy {
  static let (name, summary) = ("also_early", "")
  static let keys: [SettingKey] = []
  static let stage = Stage.precision
  static let decisions: Set<Decision> = []
  let label = "also early"
  init(_ settings: inout Settings) throws(PlanError) {}
  func decide(_ plan: inout TrainingPlan) throws(PlanError) {}
}

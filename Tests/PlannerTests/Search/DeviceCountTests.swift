import Testing

@testable import Planner

@Suite("The least number of devices") struct DeviceCountTests {
  /// A scenario of Llama 2 7B on a device, its states cut by a strategy.
  private static func scenario(
    _ device: String, _ strategy: any SpreadingStrategy, accumulation: Int = 1
  ) throws -> Scenario {
    var scenario = try Scenario.random(3)
    let config: JSONValue = [
      "model_type": "llama", "hidden_size": 1024, "intermediate_size": 2816,
      "num_hidden_layers": 24, "num_attention_heads": 16, "vocab_size": 32000,
    ]
    var settings = try Settings(config, path: "model")
    scenario.model = Model(name: "llama", family: try Llama(&settings))
    scenario.workload = Workload(
      microBatchSize: 1, sequenceLength: 512, gradientAccumulationSteps: accumulation)
    scenario.precision = .fp32True
    scenario.optimizer = AdamW()
    scenario.gradientClipping = nil
    scenario.strategies = [ActivationCheckpointing(.full), strategy]
    scenario.kernelSet = .torch
    scenario.loss = .transformers
    scenario.attention = .sdpa
    scenario.device = try #require(DeviceCatalog.named(device))
    return scenario
  }

  /// A device with so much memory.
  private static func with(_ gibibytes: Double, _ scenario: Scenario) -> Scenario {
    var scenario = scenario
    scenario.device.memory = Bytes(Int(gibibytes * 1_073_741_824))
    return scenario
  }

  @Test("fits, and one device less does not", arguments: [3.2, 4, 5.5, 40])
  func least(_ gibibytes: Double) throws {
    let base = Self.with(gibibytes, try Self.scenario("rtx-4090", FullyShard(shards: 8)))
    var brute: Int?
    for shards in 1...20 {
      var other = base
      other.strategies[1] = FullyShard(shards: shards)
      if try Planner.plan(other, .verdict).fits {
        brute = shards
        break
      }
    }
    let solution = try DeviceCountSolver(base).least()
    if let brute {
      #expect(solution?.devices == brute)
    } else {
      #expect(solution == nil || (solution?.devices ?? 0) > 20)
    }
    #expect(try Planner.plan(base).devices.minimum == solution?.devices)
  }

  @Test("is found with few plans") func economy() throws {
    nonisolated(unsafe) var plans = 0
    let base = Self.with(4, try Self.scenario("rtx-4090", FullyShard(shards: 2)))
    let solver = DeviceCountSolver(base) { (scenario, _) throws(PlanError) in
      plans += 1
      return try Planner.plan(scenario, .tensors)
    }
    #expect(try solver.least() != nil)
    #expect(plans <= 16, "\(plans) plans")
  }

  @Test("is a power of two, or whole nodes, where asked") func rounding() throws {
    let base = Self.with(4, try Self.scenario("rtx-4090", FullyShard(shards: 8)))
    let least = try #require(try DeviceCountSolver(base).least()).devices
    let power = try #require(try DeviceCountSolver(base).least(.powerOfTwo)).devices
    let nodes = try #require(try DeviceCountSolver(base).least(.wholeNodes)).devices
    #expect(power >= least && power.nonzeroBitCount == 1 && power < 2 * least)
    #expect(nodes >= least && (nodes <= 4 || nodes % 4 == 0))
  }

  @Test("keeps what belongs together") func units() throws {
    let base = Self.with(
      9, try Self.scenario("rtx-4090", FullyShard(shards: 4, replicas: 3, layerReshard: .to(2))))
    let least = try #require(try DeviceCountSolver(base).least())
    #expect(least.devices % 6 == 0)
  }

  @Test("does not count copies that share nothing") func copies() throws {
    var settings = try Settings(["replicas": 8], path: "ddp", keys: DistributedDataParallel.keys)
    let base = Self.with(40, try Self.scenario("rtx-4090", DistributedDataParallel(&settings)))
    #expect(try DeviceCountSolver(base).least()?.devices == 1)
    #expect(try DeviceCountSolver(Self.with(1, base)).least() == nil)
  }

  @Test("of every device is sorted, with reasons for those that do not work") func table() throws {
    let base = try Self.scenario("rtx-4090", FullyShard(shards: 8))
    let table = try Planner.devices(for: base, order: .count)
    let counts = table.rows.compactMap(\.count)
    #expect(counts == counts.sorted())
    #expect(table.rows.count == DeviceCatalog.all.filter { $0.kind == .accelerator }.count)
    #expect(table.rows.allSatisfy { $0.count != nil || $0.reason != nil })
  }
}

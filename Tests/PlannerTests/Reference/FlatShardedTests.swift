import Testing

@testable import Planner

@Suite("PyTorch's own figures for FullyShardedDataParallel") struct FlatShardedTests {
  static let cases = Fixtures.cases("flat-sharded")

  @Test("are met within 0.1 % in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      let error = abs(Double(phase.live.count) / Double(expected) - 1)
      #expect(error <= 0.001, "\(phase.phase.key) at \(phase.operation)")
    }
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("are met to the byte where every weight is trained") func exact() throws {
    var (equal, all) = (0, 0)
    for reference in Self.cases where reference["scenario", "strategies", "lora"] == nil {
      for phase in try Planner.plan(try reference.scenario).phases {
        let expected = reference.value.integer(
          "reference", "phases", phase.phase.key, "requested_bytes")
        all += 1
        equal += phase.live.count == expected ? 1 : 0
      }
    }
    #expect(all > 200 && equal >= all - 1, "\(equal) of \(all)")
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("nor do random scenarios of all families") func random() throws {
    var compared = 0
    for seed in 0..<300 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      var generator = SplitMix(state: seed)
      let replicas = Int.random(in: 1...2, using: &generator)
      let shardings: [FullyShardedDataParallel.Sharding] =
        replicas > 1 ? [.hybridShard, .hybridShardGradOp] : [.fullShard, .shardGradOp, .noShard]
      let prefetches: [FullyShardedDataParallel.Prefetch] = [.before, .after, .none]
      var older = FullyShardedDataParallel(
        shards: [2, 7, 64].randomElement(using: &generator) ?? 2)
      older.replicas = replicas
      older.sharding = shardings.randomElement(using: &generator) ?? .fullShard
      older.prefetch = prefetches.randomElement(using: &generator) ?? .before
      older.prefetchesForward = .random(using: &generator)
      older.keepsOriginals = .random(using: &generator)
      older.parameterFormat = .random(using: &generator) ? .bf16 : nil
      older.reduceFormat = .random(using: &generator) ? .fp32 : nil
      older.offloads = Int.random(in: 0...4, using: &generator) == 0
      older.defersReduction = .random(using: &generator)
      var strategy = FullyShard(
        shards: older.shards, replicas: replicas, parameterFormat: older.parameterFormat,
        reduceFormat: older.reduceFormat, offloads: older.offloads)
      strategy.older = older
      scenario.strategies.append(strategy)
      do {
        _ = try Planner.plan(scenario)
      } catch { continue }
      try scenario.expectFoldingChangesNothing("seed \(seed)")
      compared += 1
    }
    #expect(compared > 100)
  }

  @Test(
    "what FSDP does not run is refused with a reason",
    arguments: [
      (#"{"version":1,"shards":4,"reshard_after_forward":true}"#, "reshard_after_forward"),
      (#"{"version":1,"shards":4,"replicas":2,"sharding_strategy":"full_shard"}"#, "replicas"),
      (#"{"version":1,"shards":4,"limit_all_gathers":false}"#, "limit_all_gathers"),
      (#"{"version":3,"shards":4}"#, "version"),
      (#"{"shards":4,"use_orig_params":true}"#, "use_orig_params"),
    ])
  func refused(_ text: String, _ key: String) throws {
    let value = try JSONReader.read(text)
    let error = try #require(throws: PlanError.self) {
      var settings = try Settings(value, path: "strategies.fsdp", keys: FullyShard.keys)
      _ = try FullyShard(&settings)
      try settings.finish()
    }
    #expect(error.path == "strategies.fsdp." + key)
  }
}

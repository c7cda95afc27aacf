import Testing

@testable import Planner

@Suite("PyTorch's own figures for one rank of many") struct ShardedTests {
  static let cases = Fixtures.cases("sharded")

  /// Buffers that the reference kept on the host, or index tensors of a collective at odd sizes.
  private static let tolerance = 0.001

  @Test("are met within 0.1 % in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      let error = abs(Double(phase.live.count) / Double(expected) - 1)
      #expect(error <= Self.tolerance, "\(phase.phase.key) at \(phase.operation)")
    }
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("are met to the byte in 49 of 50 phases where all lies on the device") func exact() throws {
    var (equal, all) = (0, 0)
    for reference in Self.cases where reference.keepsStatesOnDevice {
      for phase in try Planner.plan(try reference.scenario, .tensors).phases {
        let expected = reference.value.integer(
          "reference", "phases", phase.phase.key, "requested_bytes")
        all += 1
        equal += phase.live.count == expected ? 1 : 0
      }
    }
    #expect(all > 0 && 50 * equal >= 49 * all, "\(equal) of \(all)")
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 90) }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    try reference.scenario.expectFoldingChangesNothing("\(reference)")
  }

  @Test("nor do random scenarios of all families") func random() throws {
    for seed in 0..<300 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      var generator = SplitMix(state: seed)
      let reshards: [FullyShard.Reshard] = [.always, .never, .to(2)]
      scenario.strategies.append(
        FullyShard(
          shards: [4, 8, 64].randomElement(using: &generator) ?? 4,
          replicas: Int.random(in: 1...2, using: &generator),
          layerReshard: reshards.randomElement(using: &generator) ?? .always,
          parameterFormat: .random(using: &generator) ? .bf16 : nil,
          reduceFormat: .random(using: &generator) ? .fp32 : nil,
          offloads: Int.random(in: 0...4, using: &generator) == 0,
          defersReduction: .random(using: &generator)))
      do {
        _ = try Planner.decide(scenario)
      } catch { continue }
      try scenario.expectFoldingChangesNothing("seed \(seed)")
    }
  }
}

extension Fixtures.Case {
  fileprivate var keepsStatesOnDevice: Bool {
    self["scenario", "strategies", "fsdp", "cpu_offload"] == nil
  }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures on one device") struct OneDeviceTests {
  static let cases = Fixtures.cases("one-device")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      #expect(phase.live.count == expected, "\(phase.phase.key) at \(phase.operation)")
    }
  }

  @Test("have equal parameter counts", arguments: cases)
  func parameters(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
    #expect(
      report.trainableParameters == reference.value.integer("reference", "trainable_parameters"))
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 44) }
}

@Suite("The allocator's verdicts on a 24 GB card") struct VerdictTests {
  static let cases = Fixtures.cases("verdicts") + Fixtures.cases("verdicts-near-limit")

  @Test("a run that failed is never called fitting", arguments: cases)
  func promise(_ reference: Fixtures.Case) throws {
    guard case .bool(true)? = reference["out_of_memory"] else { return }
    let report = try Planner.plan(try reference.scenario)
    #expect(!report.fits, "\(report.peak.device) of \(report.capacity)")
  }

  @Test("nearly all others are called fitting") func agreement() throws {
    var (agreeing, all) = (0, 0)
    for reference in Self.cases {
      guard case .bool(let failed)? = reference["out_of_memory"] else { continue }
      all += 1
      if try Planner.plan(try reference.scenario).fits != failed { agreeing += 1 }
    }
    // The others survived with the addresses of that run, and would not with all.
    #expect(agreeing * 100 >= all * 96, "\(agreeing) of \(all)")
  }

  @Test("runs with room to spare are called fitting") func useful() throws {
    let scenario = try Self.cases.first {
      "\($0)" == "llama2-7b_b4s2048_bf16_sdpa_ckpt-full_adamw-foreach_lora16all"
    }?.scenario
    #expect(try Planner.plan(try #require(scenario)).fits)
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 191) }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures on one device") struct OneDeviceTests {
  static let cases = Fixtures.cases("one-device")

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("have equal parameter counts", arguments: cases)
  func parameters(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
    #expect(
      report.trainableParameters == reference.value.integer("reference", "trainable_parameters"))
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 44) }
}

@Suite("The allocator's verdicts on a 24 GB card") struct VerdictTests {
  static let cases = Fixtures.cases("verdicts") + Fixtures.cases("verdicts-near-limit")

  /// Each case with the planner's verdict, which takes some time.
  static let verdicts: [(name: String, failed: Bool, fits: Bool)] = cases.compactMap {
    guard case .bool(let failed)? = $0["out_of_memory"], let scenario = try? $0.scenario,
      let report = try? Planner.plan(scenario)
    else { return nil }
    return ("\($0)", failed, report.fits)
  }

  @Test("a run that failed is never called fitting") func promise() {
    #expect(Self.verdicts.count == Self.cases.count)
    for verdict in Self.verdicts where verdict.failed { #expect(!verdict.fits, "\(verdict.name)") }
  }

  @Test("nearly all others are called fitting") func agreement() {
    let agreeing = Self.verdicts.filter { $0.fits != $0.failed }.count
    // The others survived with the addresses of that run, and would not with all.
    #expect(agreeing * 100 >= Self.verdicts.count * 96, "\(agreeing)")
  }

  @Test("runs with room to spare are called fitting") func useful() throws {
    let scenario = try Self.cases.first {
      "\($0)" == "llama2-7b_b4s2048_bf16_sdpa_ckpt-full_adamw-foreach_lora16all"
    }?.scenario
    #expect(try Planner.plan(try #require(scenario)).fits)
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 191) }
}

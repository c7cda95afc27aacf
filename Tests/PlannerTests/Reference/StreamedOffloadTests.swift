import Testing

@testable import Planner

@Suite("PyTorch's own figures with saved tensors that streams take to the host")
struct StreamedOffloadTests {
  static let cases = Fixtures.cases("offload-streams")

  /// Where TRL took one tensor for another at the same address: 512 KiB stayed on the device.
  private static let reusedAddress = "streams-llama-amp"

  @Test("have equal live bytes in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let scenario = try reference.scenario
    let report = try Planner.plan(scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      if scenario.name == Self.reusedAddress, phase.phase == .backward {
        #expect(expected - phase.live.count == 512 * 512 * 2)
      } else {
        #expect(phase.live.count == expected, "\(phase.phase.key) at \(phase.operation)")
      }
    }
  }

  @Test("are not fewer than before") func count() { #expect(Self.cases.count >= 19) }

  @Test("refuse settings out of range, and those of streams without streams") func settings() {
    func error(_ members: JSONValue.Member...) -> PlanError? {
      do throws(PlanError) {
        var settings = try Settings(
          .object(members), path: "strategies.offload_activations", keys: OffloadedActivations.keys)
        _ = try OffloadedActivations(&settings)
        try settings.finish()
        return nil
      } catch {
        return error
      }
    }
    #expect(error() == nil)
    #expect(error(.init("method", "streams"), .init("max_fwd_stash_size", 1)) == nil)
    #expect(error(.init("method", "streams"), .init("max_fwd_stash_size", 0)) != nil)
    #expect(error(.init("method", "streams"), .init("min_offload_size", -1)) != nil)
    #expect(error(.init("max_fwd_stash_size", 5))?.kind == .conflict)
    #expect(error(.init("method", "stream"))?.fix.contains("streams") == true)
  }
}

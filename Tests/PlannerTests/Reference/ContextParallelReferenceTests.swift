import Testing

@testable import Planner

/// Figures are of the last device but one, which merges whole results and keeps copies of them; of two devices each
/// phase has the higher of both.
@Suite("PyTorch's own figures for a device that shares its sequences")
struct ContextParallelReferenceTests {
  static let cases = Fixtures.cases("context-parallel")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      #expect(phase.live.count == expected, "\(phase.phase.key) at \(phase.operation)")
    }
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("do not depend on how layers are folded", arguments: cases)
  func folded(_ reference: Fixtures.Case) throws {
    let scenario = try reference.scenario
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let folded = try MemoryFold(try TrainingStep(graph, plan).schedule)
    let unrolled = try MemoryFold(try TrainingStep(graph, plan, unrolls: true).schedule)
    #expect(folded.net == unrolled.net)
    #expect(folded.peaks.map(\.live) == unrolled.peaks.map(\.live))
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 8) }
}

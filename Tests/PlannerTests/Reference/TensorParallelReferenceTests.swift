import Testing

@testable import Planner

@Suite("PyTorch's own figures for a rank of tensor-parallel models")
struct TensorParallelReferenceTests {
  static let cases = Fixtures.cases("tensor-parallel")

  @Test("are met to a scalar in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario, .tensors)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      #expect(
        abs(phase.live.count - expected) <= 4, "\(phase.phase.key) at \(phase.operation)")
    }
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  /// Three phases of cut losses over micro-batches lack one scalar.
  @Test("are met to the byte in all phases but three") func exact() throws {
    var (equal, all) = (0, 0)
    for reference in Self.cases {
      for phase in try Planner.plan(try reference.scenario, .tensors).phases {
        let expected = reference.value.integer(
          "reference", "phases", phase.phase.key, "requested_bytes")
        all += 1
        equal += phase.live.count == expected ? 1 : 0
      }
    }
    #expect(all > 0 && equal >= all - 3, "\(equal) of \(all)")
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

  @Test("are all there") func count() { #expect(Self.cases.count == 55) }
}

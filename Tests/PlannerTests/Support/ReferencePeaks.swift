import Testing

@testable import Planner

extension Fixtures.Case {
  /// PyTorch's figure for a phase.
  func requestedBytes(_ phase: Report.PhasePeak) throws -> Int {
    try #require(value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
  }

  /// Expects the live bytes of every phase to be PyTorch's, up to `slack` bytes.
  ///
  /// - Returns: The report, for what else it is held against.
  @discardableResult
  func expectPeaks(
    slack: Int = 0, _ sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Report {
    let report = try Planner.plan(try scenario, .tensors)
    for phase in report.phases {
      let expected = try requestedBytes(phase)
      #expect(
        abs(phase.live.count - expected) <= slack, "\(phase.phase.key) at \(phase.operation)",
        sourceLocation: sourceLocation)
    }
    return report
  }
}

extension [Fixtures.Case] {
  /// How many phases have exactly PyTorch's live bytes, and how many there are.
  func equalPhases() throws -> (equal: Int, all: Int) {
    var (equal, all) = (0, 0)
    for reference in self {
      for phase in try Planner.plan(try reference.scenario, .tensors).phases {
        all += 1
        equal += phase.live.count == (try reference.requestedBytes(phase)) ? 1 : 0
      }
    }
    return (equal, all)
  }
}

extension Scenario {
  /// Expects the same memory from a step whose equal layers are folded and one in which each runs on its own.
  func expectFoldingChangesNothing(
    _ comment: Comment, _ sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let plan = try Planner.decide(self)
    let graph = try model.family.graph(plan.context)
    let folded = try MemoryFold(try TrainingStep(graph, plan).schedule)
    let unrolled = try MemoryFold(try TrainingStep(graph, plan, unrolls: true).schedule)
    #expect(folded.net == unrolled.net, comment, sourceLocation: sourceLocation)
    #expect(
      folded.peaks.map(\.live) == unrolled.peaks.map(\.live), comment,
      sourceLocation: sourceLocation)
  }
}

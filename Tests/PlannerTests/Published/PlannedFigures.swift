import Testing

@testable import Planner

/// What a published run was planned to need, in bytes, as PyTorch's allocator counts it.
struct PlannedFigures {
  /// The peak of what is allocated.
  var peak: Double
  /// What stays between steps.
  var resident: Double

  private init(_ report: Report) {
    peak = Double(report.phases.map(\.allocated.count).max() ?? 0)
    resident = Double(report.phases[2].allocated.count)
  }

  /// The figures of the rank that a row names (`rank`), or of the one that needs most.
  init(_ run: Fixtures.Case) throws {
    let scenario = try run.scenario
    guard let rank = run.value.integer("rank") else {
      self.init(try Planner.plan(scenario, .report))
      return
    }
    let plan = try Planner.decide(scenario)
    let pipeline = try #require(plan.pipeline)
    let steps = try PipelineSteps(try scenario.model.family.graph(plan.context), plan, pipeline)
    let found = try #require(steps.ranks.first { $0.ranks.contains(rank) })
    self.init(
      try ReportBuilder(
        scenario, plan, steps.graph, found.step, .report, replayed: steps.replayed(found)
      ).report())
  }
}

extension Fixtures.Case {
  /// Holds what is planned against what a published run measured, within what its row says; a row without says why.
  ///
  /// - Parameter most: What no row may ask for more than.
  func expectMet(atMost most: Double, _ planned: () throws -> Double) throws {
    guard case .number(let within)? = self["within"] else {
      guard case .string(let note)? = self["note"] else { return #expect(Bool(false)) }
      return #expect(note.contains("Explained: "))
    }
    #expect(within <= most)
    let measured = Double(try #require(value.integer("measured_bytes")))
    #expect(abs(try planned() / measured - 1) <= within)
  }
}

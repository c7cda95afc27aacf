import Testing

@testable import Planner

@Suite("A step whose equal layers are folded") struct UnrolledStepTests {
  /// Compares the folded step with one that runs every layer on its own.
  private func compare(_ scenario: Scenario, _ comment: Comment) throws {
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let folded = try TrainingStep(graph, plan)
    let unrolled = try TrainingStep(graph, plan, unrolls: true)
    let fold = try MemoryFold(folded.schedule)
    let walk = FoldTests.Walk(unrolled.schedule)
    #expect(fold.peaks.map(\.live) == walk.peaks, comment)
    #expect(fold.peaks.map(\.rounded) == walk.roundedPeaks, comment)
    #expect(folded.work.flops == unrolled.work.flops, comment)
    #expect(folded.work.recomputed == unrolled.work.recomputed, comment)
    #expect(folded.host.bytes == unrolled.host.bytes, comment)
    #expect(folded.host.pinned == unrolled.host.pinned, comment)
    #expect(folded.host.returned == unrolled.host.returned, comment)
    for (index, peak) in fold.peaks.enumerated() {
      let place = PeakLocator(peak, in: folded.schedule)
      let roles = Role.allCases.map { place.breakdown[$0].count }
      #expect(roles.reduce(0, +) == walk.peaks[index], comment)
    }
  }

  @Test(
    "equals the walk over every layer",
    arguments: OneDeviceTests.cases + FamilyTests.cases + MixtureTests.cases + LossTests.cases
      + QuantizedTests.cases + EncoderTests.cases + T5Tests.cases + DroppedAttentionTests.cases
      + OffloadTests.cases + ProcessorTests.cases)
  func references(_ reference: Fixtures.Case) throws {
    try compare(try reference.scenario, "\(reference)")
  }

  @Test("equals it for random scenarios") func random() throws {
    for seed in 0..<400 as Range<UInt64> { try compare(try .random(seed), "seed \(seed)") }
  }

  @Test("equals it with saved tensors on the host, and takes all of them back") func host() throws {
    for seed in 0..<200 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      scenario.strategies.append(OffloadedActivations(pinsMemory: seed % 2 == 0))
      try compare(scenario, "seed \(seed)")
      let plan = try Planner.decide(scenario)
      let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
      #expect(step.host.returned <= step.host.bytes, "seed \(seed)")
      #expect(step.host.pinned >= step.host.bytes && step.host.bytes > 0, "seed \(seed)")
    }
  }

  @Test("leaves nothing behind but what is always there") func balance() throws {
    for seed in 0..<400 as Range<UInt64> {
      let scenario = try Scenario.random(seed)
      let plan = try Planner.decide(scenario)
      let graph = try scenario.model.family.graph(plan.context)
      let step = try TrainingStep(graph, plan)
      var resident = 0
      for event in step.schedule.events where event.operation == Moment.resident.rawValue {
        resident += event.bytes * Int(event.count)
      }
      #expect(try MemoryFold(step.schedule).net == resident, "seed \(seed)")
    }
  }
}

import Testing

@testable import Planner

@Suite("Remedies for a run that does not fit") struct RemedySearchTests {
  private func scenario(_ model: String, _ device: String, batch: Int = 4) throws -> Scenario {
    try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no files", path: path, fix: "")
    }.read([
      "schema": 1, "model": .string(model),
      "workload": ["micro_batch_size": .integer(batch), "sequence_length": 2048],
      "hardware": ["device": .string(device)],
    ])
  }

  @Test("all fit, recompute the least first, and end with a larger device") func order() throws {
    let remedies = try Planner.remedies(for: try scenario("llama-3.2-1b", "rtx-3090", batch: 8))
    #expect(remedies.count > 1)
    #expect(remedies.filter { !$0.report.fits }.isEmpty)
    let fractions = remedies.dropLast().map(\.report.recompute.flopsFraction)
    #expect(fractions == fractions.sorted())
    #expect(remedies.last?.change.hasPrefix("\"device\"") == true)
  }

  @Test("checkpoint as few layers as fit") func fewestLayers() throws {
    let base = try scenario("llama-2-7b", "h100-sxm", batch: 8)
    let remedies = try Planner.remedies(for: base)
    let first = try #require(remedies.first { $0.change.contains("\"first\"") })
    let digits = first.change.split(separator: "\"layers\": ").last?.prefix { $0.isNumber } ?? ""
    let layers = try #require(Int(digits))
    for (count, fits) in [(layers, true), (layers - 1, false)] {
      var changed = base
      changed.strategies = [ActivationCheckpointing(.first(count))]
      if first.change.contains("fused") { changed.optimizer = AdamW(.fused) }
      guard !first.change.contains("micro_batch_size") else { continue }
      #expect(try Planner.plan(changed).fits == fits)
    }
  }

  @Test("are none where no change that is known helps") func none() throws {
    let remedies = try Planner.remedies(for: try scenario("llama-3.1-405b", "b300"))
    #expect(remedies.isEmpty)
  }
}

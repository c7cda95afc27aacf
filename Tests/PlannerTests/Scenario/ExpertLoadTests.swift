import Testing

@testable import Planner

@Suite("The load of experts") struct ExpertLoadTests {
  private func report(_ experts: JSONValue?) throws(PlanError) -> Report {
    var workload: [JSONValue.Member] = [
      .init("micro_batch_size", 2), .init("sequence_length", 100),
    ]
    if let experts { workload.append(.init("experts", experts)) }
    return try Planner.plan(
      try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no file here", path: path, fix: "")
      }.read(["model": "mixtral-8x7b", "workload": .object(workload)]))
  }

  private func path(_ experts: JSONValue) -> String? {
    do {
      _ = try report(experts)
      return nil
    } catch { return error.path }
  }

  @Test("gives the busiest its share and all others the rest") func shares() {
    // 200 tokens, 2 of 8 experts each: 400 pairs, 50 of them an expert's mean.
    let experts = RoutedExperts(count: 8, choices: 2)
    let even = ExpertLoad().tokens(200, experts)
    #expect(even.busiest == 50 && even.others == 50)
    let skewed = ExpertLoad(imbalance: 1.7).tokens(200, experts)
    #expect(skewed.busiest == 85 && skewed.others == 45)
    let bounded = ExpertLoad(imbalance: 4, capacity: 1.7).tokens(200, experts)
    #expect(bounded.busiest == 85)
    let all = ExpertLoad(imbalance: 4).tokens(200, experts)
    #expect(all.busiest == 200)
  }

  @Test("changes no memory on one device, and the report says so") func memory() throws {
    let (plain, skewed) = (try report(nil), try report(["imbalance": 1.7, "capacity": 1.25]))
    #expect(plain.phases.map(\.live) == skewed.phases.map(\.live))
    #expect(plain.seconds == skewed.seconds)
    let text = skewed.assumptions.map(\.text).first { $0.contains("busiest") }
    #expect(text?.contains("gets 63 of 200 tokens, each other 48") == true)
  }

  @Test("is refused where it cannot be") func refused() {
    #expect(path(["imbalance": 4.5]) == "workload.experts.imbalance")
    #expect(path(["imbalance": 0.5]) == "workload.experts.imbalance")
    #expect(path(["capacity": 0.9]) == "workload.experts.capacity")
    #expect(path(["capacty": 2]) == "workload.experts.capacty")
  }
}

import Testing

@testable import Planner

@Suite("DeepSpeed's own figures for ZeRO") struct ZeroTests {
  static let cases =
    Fixtures.cases("zero") + Fixtures.cases("zero-states") + Fixtures.cases("zero-quantized")
    + Fixtures.cases("zero-autocast") + Fixtures.cases("zero-gathering")

  /// The reference ran on one rank or two; the plan is for the one that needs most, which may be another.
  private static let above = 0.012
  private static func above(_ name: String, _ phase: Phase) -> Double {
    // Of four layers over five ranks, each rank cuts whole ones.
    if name.hasPrefix("g-"), phase == .optimizer { return 0.06 }
    // Of eight ranks in fp32, one has the largest gradient and another the most of them.
    if name.hasPrefix("ac-"), name.hasSuffix("ckpt-clip") { return 0.015 }
    return above
  }
  /// What stage 3 may be above: the loss of fp16 is scaled by a tensor of four bytes.
  private static let gathered = 4
  /// Eight bytes for each norm that an offloaded optimizer keeps.
  private static let below = 0.0001

  @Test("are never fallen short of, and met within 1.2 %", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try Planner.plan(try reference.scenario)
    for phase in report.phases {
      let expected = try #require(
        reference.value.integer("reference", "phases", phase.phase.key, "requested_bytes"))
      let error = Double(phase.live.count) / Double(expected) - 1
      let above = Self.above("\(reference)", phase.phase)
      #expect(-Self.below <= error && error <= above, "\(phase.phase.key) at \(phase.operation)")
      for role in Role.allCases { #expect(phase.breakdown[role] >= .zero, "\(role)") }
      if reference.value.integer("scenario", "strategies", "zero", "stage") == 3 {
        #expect(phase.live.count - expected <= Self.gathered, "\(phase.phase.key)")
      }
    }
    if let parameters = reference.value.integer("reference", "parameters") {
      #expect(report.parameters == parameters)
    }
  }

  @Test("are met to the byte in three of four phases") func exact() throws {
    var (equal, all) = (0, 0)
    for reference in Self.cases {
      for phase in try Planner.plan(try reference.scenario).phases {
        let expected = reference.value.integer(
          "reference", "phases", phase.phase.key, "requested_bytes")
        all += 1
        equal += phase.live.count == expected ? 1 : 0
      }
    }
    #expect(all > 0 && 4 * equal >= 3 * all, "\(equal) of \(all)")
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 303) }

  @Test("leave behind what they found, in random scenarios of all families") func random() throws {
    var planned = 0
    for seed in 0..<150 as Range<UInt64> {
      var scenario = try Scenario.random(seed)
      var generator = SplitMix(state: seed)
      let stage = Int.random(in: 1...3, using: &generator)
      let members: [String: JSONValue] =
        [
          "stage": .integer(stage),
          "shards": .integer([1, 2, 3, 8, 64, 5000].randomElement(using: &generator) ?? 1),
          "reduce_bucket_size": .integer(
            [1, 100, 10_000, 1_000_000].randomElement(using: &generator) ?? 1),
          "overlap_comm": .bool(.random(using: &generator)),
          "reduce_scatter": .bool(.random(using: &generator)),
          "round_robin_gradients": .bool(.random(using: &generator)),
          "sub_group_size": .integer(Int.random(in: 1...100_000, using: &generator)),
          "stage3_prefetch_bucket_size": .integer(
            [0, 1000, 50_000_000].randomElement(using: &generator) ?? 0),
          "stage3_max_live_parameters": .integer(
            [0, 10_000, 1_000_000_000].randomElement(using: &generator) ?? 0),
          "stage3_max_reuse_distance": .integer(
            [0, 10_000, 1_000_000_000].randomElement(using: &generator) ?? 0),
          "stage3_param_persistence_threshold": .integer(
            [0, 1000, 100_000].randomElement(using: &generator) ?? 0),
          "bf16_master_weights_and_grads": .bool(seed % 3 == 1),
          "bf16_optimizer_states": .bool(seed % 3 == 1),
          "grad_accum_dtype": .string(seed % 3 == 1 ? "bf16" : "fp32"),
          "immediate_grad_update": .bool(.random(using: &generator)),
          "zero_allow_untested_optimizer": .bool(true),
        ]
      var options = try Settings(
        .object(members.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }),
        path: "strategies.zero", keys: Zero.keys)
      scenario.strategies.append(try Zero(&options))
      scenario.precision = seed % 3 == 0 ? [.fp16Mixed, .bf16Mixed][Int(seed % 2)] : .bf16True
      scenario.autocasts = scenario.precision == .bf16True && seed % 5 == 0
      let optimizers: [any Optimizer] = [AdamW(), Lion(), SGD(momentum: 0.9), AdamW8bit()]
      scenario.optimizer = optimizers[Int(seed % 4)]
      do {
        let plan = try Planner.decide(scenario)
        let graph = try scenario.model.family.graph(plan.context)
        let step = try TrainingStep(graph, plan)
        planned += 1
        let resident = step.schedule.events.prefix { $0.kind != .phase }.reduce(0) {
          $0 + Int($1.count) * $1.bytes
        }
        #expect(try MemoryFold(step.schedule).net == resident, "seed \(seed)")
      } catch { continue }
    }
    #expect(planned > 20)
  }
}

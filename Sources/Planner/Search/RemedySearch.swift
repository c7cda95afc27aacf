/// Looks for changes that make a scenario fit on its device.
///
/// Each combination of at most four well-known changes is planned for real, and counts if it fits and no part of it
/// fits alone. The mildest few are shown: what leaves the training as it is ahead of what rounds more, and that ahead
/// of what trains something else, since a user who asked for full fine-tuning did not ask for adapters; among equals
/// what adds the least time, by recomputation and by transfers that nothing hides, then the fewest changes. They are
/// listed with the least recomputation first. Last comes the smallest device of the catalog on which nothing has to
/// change.
struct RemedySearch {
  let scenario: Scenario
  private let catalog: [Device]

  init(_ scenario: Scenario, catalog: [Device]) {
    self.scenario = scenario
    self.catalog = catalog
  }

  /// One change to a scenario.
  struct Change {
    /// How the scenario spells it.
    let text: String
    /// What it costs beyond recomputation.
    let cost: String
    /// What it does to the training.
    var effect = Effect.none
    /// Makes it.
    let apply: @Sendable (inout Scenario) -> Void
  }

  /// What a change does to the training, the mildest first.
  enum Effect: Int, Comparable {
    /// The same numbers, up to the order of sums.
    case none
    /// The same training, rounded more.
    case rounding
    /// Another training.
    case training

    static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// More changes at once are no advice.
  private static let mostChanges = 4

  /// At most `limit` remedies.
  func remedies(limit: Int = 5) throws(PlanError) -> [Remedy] {
    let (mildest, larger) = Parallel.both {
      Result { () throws(PlanError) in try combinations(limit) }
    } _: {
      Result { () throws(PlanError) in try largerDevice() }
    }
    return try mildest.get() + [larger.get()].compactMap(\.self)
  }

  /// The mildest combinations of changes, one fewer than `limit` where there are as many.
  private func combinations(_ limit: Int) throws(PlanError) -> [Remedy] {
    let changes = changes
    var found: [(bits: Int, effect: Effect, remedy: Remedy)] = []
    // Smaller combinations first, so that those that contain a fitting one can be skipped; those of one size do not
    // contain each other, and are tried on all cores.
    for size in 1...Self.mostChanges {
      let tries = (1..<(1 << changes.count)).filter { bits in
        bits.nonzeroBitCount == size && !found.contains { $0.bits & bits == $0.bits }
      }
      let remedies = Parallel.map(tries.count) { index in
        let chosen = changes.indices.filter { tries[index] >> $0 & 1 == 1 }
        return Result { () throws(PlanError) in try tried(chosen.map { changes[$0] }) }
      }
      for (bits, remedy) in zip(tries, remedies) {
        guard let remedy = try remedy.get() else { continue }
        let effects = changes.indices.filter { bits >> $0 & 1 == 1 }.map { changes[$0].effect }
        found.append((bits, effects.max() ?? .none, remedy))
      }
    }
    var remedies = found.enumerated().sorted {
      let (a, b) = ($0.element, $1.element)
      if a.effect != b.effect { return a.effect < b.effect }
      let (slower, faster) = (Self.addedTime(a.remedy.report), Self.addedTime(b.remedy.report))
      return slower != faster ? slower < faster : $0.offset < $1.offset
    }.map(\.element.remedy)
    if remedies.count >= limit { remedies.removeSubrange((limit - 1)...) }
    return remedies.enumerated().sorted {
      let (a, b) = (
        $0.element.report.recompute.flopsFraction, $1.element.report.recompute.flopsFraction
      )
      return a != b ? a < b : $0.offset < $1.offset
    }.map(\.element)
  }

  /// The scenario with all of `changes`, if it then fits.
  private func tried(_ changes: [Change]) throws(PlanError) -> Remedy? {
    var changed = scenario
    for change in changes { change.apply(&changed) }
    let report: Report
    do { report = try Planner.plan(changed, .verdict) } catch {
      // Changes that exclude each other, or something that the scenario has.
      guard error.kind == .conflict || error.kind == .unsupported else { throw error }
      return nil
    }
    guard report.fits else { return nil }
    let remedy = Remedy(
      change: changes.map(\.text).joined(separator: ", "),
      cost: changes.map(\.cost).filter { !$0.isEmpty }.joined(separator: "; "), report: report)
    if changes.contains(where: { $0.text == Self.fullCheckpointing }) {
      return try fewestLayers(changed, remedy)
    }
    if changed.workload.microBatchSize < scenario.workload.microBatchSize {
      return try largestMicroBatch(changed, remedy)
    }
    return remedy
  }

  /// The share of a step's time that recomputation and transfers add.
  private static func addedTime(_ report: Report) -> Double {
    let seconds = report.seconds.value
    let exposed = report.host?.exposedSeconds.value ?? 0
    return report.recompute.timeFraction + (seconds > 0 ? exposed / seconds : 0)
  }

  /// The same remedy with the largest micro-batch that fits and divides the one that does not.
  private func largestMicroBatch(_ changed: Scenario, _ smallest: Remedy) throws(PlanError)
    -> Remedy
  {
    let whole = scenario.workload
    for size in stride(from: min(whole.microBatchSize / 2, 4096), to: 1, by: -1)
    where whole.microBatchSize % size == 0 {
      var larger = changed
      larger.workload.microBatchSize = size
      larger.workload.gradientAccumulationSteps =
        whole.gradientAccumulationSteps * (whole.microBatchSize / size)
      let report = try Planner.plan(larger, .verdict)
      guard report.fits else { continue }
      var best = smallest
      best.report = report
      best.change = smallest.change.replacing(
        Self.text(of: changed.workload), with: Self.text(of: larger.workload))
      return best
    }
    return smallest
  }

  private static func text(of workload: Workload) -> String {
    "\"micro_batch_size\": \(workload.microBatchSize), "
      + "\"gradient_accumulation_steps\": \(workload.gradientAccumulationSteps)"
  }

  /// The same remedy with as few checkpointed layers as still fit, found by bisection and planned for real.
  private func fewestLayers(_ changed: Scenario, _ full: Remedy) throws(PlanError) -> Remedy {
    var (low, high) = (1, try Planner.layers(of: changed))
    var best = full
    while low < high {
      let middle = (low + high) / 2
      var fewer = changed
      fewer.strategies.removeAll { $0 is ActivationCheckpointing }
      fewer.strategies.append(ActivationCheckpointing(.first(middle)))
      let report = try Planner.plan(fewer, .verdict)
      guard report.fits else {
        low = middle + 1
        continue
      }
      high = middle
      best.report = report
      best.change = full.change.replacing(
        Self.fullCheckpointing,
        with: "\"checkpointing\": { \"policy\": \"first\", \"layers\": \(middle) }")
    }
    return best
  }

  private static let fullCheckpointing = "\"checkpointing\": { \"policy\": \"full\" }"

  // MARK: What can be changed

  private var changes: [Change] {
    [
      fusedOptimizer, lessLoss, smallerMicroBatch, checkpointing, offloadedActivations,
      offloadedOptimizer, eightBitOptimizer, sixteenBits, quantizedBase, adapters,
    ].compactMap(\.self)
  }

  private var fusedOptimizer: Change? {
    guard let adam = scenario.optimizer as? AdamW, adam.implementation != .fused else { return nil }
    return Change(text: "\"implementation\": \"fused\"", cost: "") { $0.optimizer = AdamW(.fused) }
  }

  private var smallerMicroBatch: Change? {
    let batch = scenario.workload.microBatchSize
    let (steps, overflow) = scenario.workload.gradientAccumulationSteps
      .multipliedReportingOverflow(by: batch)
    guard batch > 1, !overflow else { return nil }
    var workload = scenario.workload
    workload.microBatchSize = 1
    workload.gradientAccumulationSteps = steps
    let smaller = workload
    return Change(text: Self.text(of: smaller), cost: "smaller matrix products") {
      $0.workload = smaller
    }
  }

  private var sixteenBits: Change? {
    switch scenario.precision {
    case .bf16True, .fp16True: return nil
    case .fp32True, .bf16Mixed, .fp16Mixed, .fp8Mixed: break
    }
    guard scenario.device.computeCapability >= 80 || scenario.device.kind == .processor else {
      return nil
    }
    return Change(
      text: "\"precision\": \"bf16-true\"", cost: "weights and states in bf16", effect: .rounding
    ) {
      $0.precision = .bf16True
    }
  }

  private var checkpointing: Change? {
    let full = scenario.strategies.contains {
      ($0 as? ActivationCheckpointing)?.policy == .full
    }
    guard !full else { return nil }
    return Change(text: Self.fullCheckpointing, cost: "") {
      $0.strategies.removeAll { $0 is ActivationCheckpointing }
      $0.strategies.append(ActivationCheckpointing(.full))
    }
  }

  private var adapters: Change? {
    guard !scenario.strategies.contains(where: { $0 is LoRA }) else { return nil }
    return Change(
      text: "\"lora\": { \"rank\": 16, \"target_modules\": [\"all-linear\"] }",
      cost: "trains adapters, not the weights", effect: .training
    ) { $0.strategies.append(LoRA(rank: 16, targetModules: ["all-linear"])) }
  }

  private func largerDevice() throws(PlanError) -> Remedy? {
    guard scenario.device.kind == .accelerator else { return nil }
    let larger = catalog.filter { $0.memory > scenario.device.memory }.sorted {
      ($0.memory, $0.id) < ($1.memory, $1.id)
    }
    for device in larger {
      var changed = scenario
      changed.device = device
      let report = try Planner.plan(changed, .verdict)
      guard report.fits else { continue }
      return Remedy(change: "\"device\": \"\(device.id)\"", cost: "another device", report: report)
    }
    return nil
  }
}

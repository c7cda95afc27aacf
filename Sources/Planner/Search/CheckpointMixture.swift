/// What can become of a layer, planned for all layers alike, and how it is mixed.
struct CheckpointOptions {
  /// The options.
  let options: [LayerOption]
  /// A plan of each for all layers.
  var uniform: [CheckpointTable.Plan] = []
  /// How two of them are mixed, where they can be.
  var mixture: CheckpointMixture?

  /// The fastest mixture that survives the allocator.
  func best(within limit: Bytes, beyond: Int?) throws(PlanError) -> CheckpointTable.Choice? {
    guard var mixture else { return nil }
    return try mixture.fitting(within: limit, beyond: beyond)
  }
}

/// The fastest mixture of two options over the layers: the first n in one way, all others in another.
///
/// Which layers come first matters: what the layers before the one in backward keep is what counts, so the option
/// that keeps less goes first. For a pair of options the peak is the largest of several figures that each grow or
/// fall evenly with n, so it is convex in n, and the time changes evenly: the numbers that fit lie side by side, and
/// the fastest of them is found by bisection. Every plan on the way is the simulator's.
struct CheckpointMixture {
  private(set) var search: CheckpointSearch
  private let layers: Int
  let options: [LayerOption]
  /// Whether only options that follow each other are mixed.
  private var mixesNeighbours = false

  /// Mixtures of options that follow each other in a list.
  init(_ search: CheckpointSearch, layers: Int, neighbours: [LayerOption]) {
    (self.search, self.layers, options) = (search, layers, neighbours)
    mixesNeighbours = true
  }

  init(_ search: CheckpointSearch, layers: Int, names: [SavedOperations.Name]) {
    self.search = search
    self.layers = layers
    var options: [LayerOption] = [.none, .full]
    for bits in 1..<max(1, 1 << names.count) {
      let chosen = names.indices.filter { bits >> $0 & 1 == 1 }.map { names[$0] }
      options.append(.selective(SavedOperations(chosen)))
    }
    if names.contains(.mm) { options.append(.selective(.torchtitan)) }
    self.options = options
  }

  /// Every option for all layers.
  mutating func uniform() throws(PlanError) -> [CheckpointTable.Plan] {
    var plans: [CheckpointTable.Plan] = []
    for option in options { plans.append(try search.plan(Self.policy(option, layers, option))) }
    return plans
  }

  /// The fastest mixture whose tensors, rounded to the allocator's blocks, take at most `bytes`.
  mutating func fastest(within bytes: Int) throws(PlanError) -> CheckpointTable.Plan? {
    let uniform = try uniform()
    var best = uniform.filter { $0.allocated.count <= bytes }.min { $0.seconds < $1.seconds }
    for (first, few) in options.enumerated() {
      for (rest, many) in options.enumerated()
      where uniform[first].seconds > uniform[rest].seconds
        && uniform[first].live < uniform[rest].live
        && (!mixesNeighbours || abs(first - rest) == 1)
      {
        // No mixture of a pair is faster than its faster option.
        if let best, best.seconds <= uniform[rest].seconds { continue }
        guard let plan = try fewest(few, many, within: bytes) else { continue }
        if plan.seconds < best?.seconds ?? .infinity { best = plan }
      }
    }
    return best
  }

  /// The fastest mixture that survives the allocator.
  ///
  /// Where the tensors fit and the allocator does not, a hundredth less is asked for, a few times.
  ///
  /// - Parameter beyond: What the allocator takes beyond the tensors, where a plan was replayed.
  mutating func fitting(within limit: Bytes, beyond: Int?) throws(PlanError)
    -> CheckpointTable.Choice?
  {
    let outside = try OutsideAllocator(search.scenario.device, communicators: 0).high.count
    var bytes = limit.count - min(beyond ?? outside, limit.count / CheckpointSearch.slack)
    for _ in 0..<Self.tries {
      guard let plan = try fastest(within: bytes) else { break }
      let report = try search.report(plan.checkpointing.policy, within: limit, .verdict)
      if report.fits { return CheckpointTable.Choice(plan: plan, report: report) }
      bytes = min(bytes, plan.allocated.count) - bytes / 100
    }
    return nil
  }

  private static let tries = 6

  /// The mixture of a pair with as few layers of the first option as fit.
  private mutating func fewest(_ few: LayerOption, _ many: LayerOption, within bytes: Int)
    throws(PlanError) -> CheckpointTable.Plan?
  {
    // All layers but one may take less than all: what the last one recomputes meets what the loss left behind.
    var (low, high) = (1, layers)
    var best: CheckpointTable.Plan?
    for count in [layers, layers - 1] where best == nil && count > 0 {
      let plan = try search.plan(Self.policy(few, count, many))
      if plan.allocated.count <= bytes { (best, high) = (plan, count) }
    }
    guard best != nil else { return nil }
    while low < high {
      let middle = (low + high) / 2
      let plan = try search.plan(Self.policy(few, middle, many))
      if plan.allocated.count <= bytes {
        (best, high) = (plan, middle)
      } else {
        low = middle + 1
      }
    }
    return best
  }

  /// The simplest way to write a mixture.
  static func policy(_ first: LayerOption, _ count: Int, _ rest: LayerOption)
    -> ActivationCheckpointing.Policy
  {
    switch (first, rest) {
    case (.none, .none): .none
    case (.full, .full): .full
    case (.selective(let operations), _) where first == rest: .selective(operations)
    case (.minCut(let budget), _) where first == rest: .minCut(budget: budget)
    case (.minCut(let budget), .none): .minCut(budget: budget, layers: count)
    case (.full, .none): .first(count)
    case (.selective(let operations), .none): .selective(operations, layers: count)
    default: .mixed(first: first, layers: count, rest: rest)
    }
  }
}

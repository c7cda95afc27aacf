/// How the tokens of a step spread over the experts of a layer.
///
/// The mean load is tokens × choices ÷ experts. The busiest expert gets the least of three: ``imbalance`` times
/// the mean, ``capacity`` times the mean, and every token once. All others get equal shares of what is left, so that
/// no token is lost: `transformers` drops none, whatever a capacity says.
public struct ExpertLoad: Hashable, Sendable {
  /// Load of the busiest expert ÷ mean load, at least 1.
  public var imbalance: Double
  /// Most load of any expert ÷ mean load, or `nil` without a limit.
  public var capacity: Double?

  /// Describes a load.
  public init(imbalance: Double = 1, capacity: Double? = nil) {
    self.imbalance = imbalance
    self.capacity = capacity
  }

  /// What `workload.experts` may have.
  static let keys = [
    SettingKey(
      "imbalance", .number(1...100_000), default: 1, "load of the busiest expert over the mean"),
    SettingKey(
      "capacity", .number(1...100_000), otherwise: "no limit", "most load of any over the mean"),
  ]

  /// Reads the settings of `workload.experts`; throws where a model has no experts, or too few of them.
  init(_ settings: inout Settings, _ model: Model) throws(PlanError) {
    guard let experts = model.family.routedExperts else {
      throw PlanError(
        .conflict, "\(model.name) has no experts to share the tokens among", path: settings.path,
        fix: "Leave \"experts\" out.")
    }
    imbalance = try settings.number("imbalance")
    capacity = try settings.optionalNumber("capacity")
    try settings.finish()
    let most = Double(experts.count) / Double(experts.choices)
    guard imbalance <= most else {
      throw PlanError(
        .invalid, "\(imbalance) times the mean is more than all tokens",
        path: settings.place("imbalance"),
        fix: "Use at most \(most): \(experts.count) experts, of which a token chooses "
          + "\(experts.choices) different ones.")
    }
  }

  /// Tokens of the busiest expert of a layer, and of each other one on average.
  func tokens(_ tokens: Int, _ experts: RoutedExperts) -> (busiest: Int, others: Double) {
    let pairs = Double(tokens) * Double(experts.choices)
    let mean = pairs / Double(experts.count)
    let wanted = (min(imbalance, capacity ?? imbalance) * mean).rounded(.up)
    let busiest = min(Int(exactly: wanted) ?? tokens, tokens)
    guard experts.count > 1 else { return (busiest, 0) }
    return (busiest, (pairs - Double(busiest)) / Double(experts.count - 1))
  }
}

extension Assumption {
  /// What a load comes to, and what it changes.
  static func load(_ load: ExpertLoad, of tokens: Int, _ experts: RoutedExperts) -> Assumption {
    let (busiest, others) = load.tokens(tokens, experts)
    return Assumption(
      "expert_load",
      "the busiest expert gets \(busiest) of \(tokens) tokens, each other "
        + "\(Int(others.rounded())); all rows lie in one tensor and none is dropped, so neither "
        + "memory nor work on one device changes",
      source: "grouped_mm_experts_forward, transformers 5.17")
  }
}

/// The strategies of a scenario in the order in which they run.
struct StrategyStack: Sendable {
  private let strategies: [any Strategy]

  /// Sorts strategies by their stage; throws where two make the same decision.
  init(_ strategies: [any Strategy]) throws(PlanError) {
    var owners: [(decision: Decision, name: String)] = []
    for strategy in strategies {
      let type = type(of: strategy)
      for decision in type.decisions.sorted(by: { $0.rawValue < $1.rawValue }) {
        for owner in owners where owner.decision == decision {
          throw PlanError(
            .conflict, "\(owner.name) and \(type.name) both decide the \(decision.rawValue)",
            path: "strategies.\(type.name)", fix: "Keep one of the two.")
        }
        owners.append((decision, type.name))
      }
    }
    let order = strategies.enumerated().sorted {
      (type(of: $0.element).stage, $0.offset) < (type(of: $1.element).stage, $1.offset)
    }
    self.strategies = order.map(\.element)
  }

  /// Lets each strategy write its decisions.
  func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    for strategy in strategies { try strategy.decide(&plan) }
    if plan.context.trainsBase { plan.context.inputRequiresGradient = false }
  }
}

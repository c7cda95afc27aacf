/// Reads `optimizer` and `strategies`, each with the type that its registry has for the name.
extension ScenarioReader {
  func readOptimizer(_ settings: inout Settings, _ defaults: inout Defaults)
    throws(PlanError) -> any Optimizer
  {
    switch settings.value("optimizer") {
    case .string(let name)?:
      return try optimizer(name, [:], path: "optimizer")
    case let value?:
      var options = try Settings(value, path: "optimizer")
      let name = try options.optionalString("name")
      if name == nil { defaults.note("optimizer", "optimizer adamw") }
      return try optimizer(name ?? AdamW.name, value, path: "optimizer.name")
    case nil: break
    }
    let taken = AdamW()
    defaults.note("optimizer", "optimizer \(taken.label)")
    return taken
  }

  private func optimizer(_ name: String, _ value: JSONValue, path: String) throws(PlanError)
    -> any Optimizer
  {
    guard let type = optimizers.first(where: { $0.name == name }) else {
      try Later.refuse(
        name, in: Later.optimizers, path: path,
        instead: "Use one of: \(optimizers.map { $0.name }.joined(separator: ", ")).")
      throw .unknownName(
        name, "optimizer", among: optimizers.map { $0.name }, path: path,
        list: "plan show optimizers")
    }
    var options = try Settings(value, path: "optimizer", keys: Optimizers.keys(of: type))
    let inner = try type.init(&options)
    let inBackward = try options.bool("in_backward")
    let optimizer: any Optimizer = inBackward && !inner.stepsInBackward ? InBackward(inner) : inner
    _ = options.value("name")
    try options.finish()
    return optimizer
  }

  /// The strategies in the order of their stages, and within a stage in the order of the registry.
  func readStrategies(_ settings: inout Settings, _ defaults: inout Defaults)
    throws(PlanError) -> [any Strategy]
  {
    guard var wanted = try settings.object("strategies") else {
      defaults.note("strategies", "no strategy")
      return []
    }
    for key in wanted.keys where !strategies.contains(where: { $0.name == key }) {
      try Later.refuse(
        key, in: Later.strategies, path: wanted.place(key),
        instead: "Leave it out, or use: \(strategies.map { $0.name }.joined(separator: ", ")).")
      throw .unknownName(
        key, "strategy", among: strategies.map { $0.name }, path: wanted.place(key),
        list: "plan show strategies")
    }
    var techniques: [any Strategy] = []
    for stage in Stage.allCases {
      for type in strategies where type.stage == stage {
        guard var options = try wanted.object(type.name, keys: type.keys) else { continue }
        techniques.append(try type.init(&options))
        try options.finish()
      }
    }
    return techniques
  }
}

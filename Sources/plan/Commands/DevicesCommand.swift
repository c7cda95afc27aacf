import Planner

/// `plan devices`: how many of which device a scenario takes.
enum DevicesCommand: Command {
  static let name = "devices"
  static let summary = "the least number of each kind of device, side by side"
  static let usage = [
    "plan devices SCENARIO.json [options]", "plan devices - [options]",
    "plan devices --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = ["plan devices scenario.json --sort cost --numbers powers"]
  static let options =
    [sort, numbers, .prices]
    + ScenarioOption.all.filter { $0.path.first != "hardware" || $0.path.last == "host_memory" }
    .map(\.option) + OutputChoice.options

  static let listsScenarioOptions = false

  private static let sort = Option(
    name: "sort", value: "BY", help: "count, time, work (time x count), or cost (default: count)",
    choices: DeviceTable.Order.allCases.map(\.rawValue))
  private static let numbers = Option(
    name: "numbers", value: "WHICH", help: "any, powers of two, or whole nodes (default: any)",
    choices: DeviceTable.Numbers.allCases.map(\.rawValue))

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let output = try OutputChoice(arguments, invocation)
    let source = try ScenarioSource(arguments, invocation)
    let order = arguments[sort].flatMap(DeviceTable.Order.init) ?? .count
    let rounding = arguments[numbers].flatMap(DeviceTable.Numbers.init) ?? .any
    let (_, table) = try source.planned { (scenario) throws(PlanError) in
      try Planner.devices(for: scenario, numbers: rounding, order: order)
    }
    let isPossible = table.rows.contains { $0.count != nil }
    return CommandResult(
      output: output.renderer.render(table, style: output.style),
      exitCode: isPossible ? .answered : .doesNotFit)
  }
}

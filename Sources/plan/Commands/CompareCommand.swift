import Planner

/// `plan compare`: the ladder of a scenario's techniques.
enum CompareCommand: Command {
  static let name = "compare"
  static let summary = "each technique alone and all together, side by side"
  static let usage = [
    "plan compare SCENARIO.json [options]", "plan compare - [options]",
    "plan compare --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = ["plan compare scenario.json"]
  static let options = ScenarioOption.all.map(\.option) + OutputChoice.options

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let output = try OutputChoice(arguments, invocation)
    let source = try ScenarioSource(arguments, invocation)
    let (_, ladder) = try source.planned(Planner.compare)
    return CommandResult(output: output.renderer.render(ladder, style: output.style))
  }
}

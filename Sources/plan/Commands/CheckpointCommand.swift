import Planner

/// `plan checkpoint`: which layers to checkpoint.
enum CheckpointCommand: Command {
  static let name = "checkpoint"
  static let summary = "which layers to checkpoint: the fastest policy that fits"
  static let usage = [
    "plan checkpoint SCENARIO.json [options]", "plan checkpoint - [options]",
    "plan checkpoint --model NAME [options]",
  ]
  static let examples = ["plan checkpoint scenario.json --budget 18GiB"]
  static let options = [budget] + ScenarioOption.all.map(\.option) + OutputChoice.options

  private static let budget = Option(
    name: "budget", value: "SIZE", help: "what a process may take: 18GiB")

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let output = try OutputChoice(arguments, invocation)
    let limit = try arguments[budget].map { (text) throws(PlanError) in
      guard let bytes = Bytes(size: text) else { throw .noSize(text) }
      return bytes
    }
    let source = try ScenarioSource(arguments, invocation)
    let (_, table) = try source.planned { (scenario) throws(PlanError) in
      try Planner.checkpoints(for: scenario, budget: limit)
    }
    return CommandResult(
      output: output.renderer.render(table, style: output.style),
      exitCode: table.recommended == nil ? .doesNotFit : .answered)
  }

}

extension PlanError {
  fileprivate static func noSize(_ text: String) -> Self {
    Self(
      .invalid, "\"\(text.prefix(80))\" is no size", path: "--budget",
      fix: "Write a number with its unit, such as 18GiB or 24GB.")
  }
}

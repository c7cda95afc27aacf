import Planner

/// `plan help`: the commands, one command, or a topic.
enum HelpCommand: Command {
  static let name = "help"
  static let summary = "the commands, a command, or a topic"
  static let usage = ["plan help", "plan help COMMAND", "plan help TOPIC"]
  static let examples = ["plan help fit", "plan help exit-codes"]
  static let options: [Option] = []

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    guard let name = arguments.operands.first else { return CommandResult(output: HelpPage.short) }
    if let command = Commands.named(name) {
      return CommandResult(output: HelpPage.text(of: command))
    }
    for topic in HelpTopic.all where topic.name == name { return CommandResult(output: topic.text) }
    throw .unknownName(
      name, "command or topic", among: Commands.all.map { $0.name } + HelpTopic.all.map(\.name),
      path: "", list: "plan help")
  }
}

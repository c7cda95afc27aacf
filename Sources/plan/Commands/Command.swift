import Planner

/// A command of the tool.
///
/// A new one is a file in this folder and a line in ``Commands/all``.
protocol Command: Sendable {
  static var name: String { get }
  /// What it answers, in a few words.
  static var summary: String { get }
  /// How it is called, one way per line.
  static var usage: [String] { get }
  static var examples: [String] { get }
  static var options: [Option] { get }
  /// How many words it takes that are no options; one unless it says otherwise.
  static var mostOperands: Int { get }
  /// Whether its page of help lists the options that stand for keys of the scenario.
  static var listsScenarioOptions: Bool { get }
  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
}

extension Command {
  static var mostOperands: Int { 1 }
  static var listsScenarioOptions: Bool { true }
}

/// The text of a command and its exit code.
struct CommandResult {
  var output: String
  var exitCode = ExitCode.answered
}

/// The list of commands.
enum Commands {
  static let all: [any Command.Type] = [
    FitCommand.self, CompareCommand.self, CheckpointCommand.self, DevicesCommand.self,
    TraceCommand.self, ReportCommand.self, CheckCommand.self, ClaimsCommand.self, ShowCommand.self,
    ExplainCommand.self,
    BenchmarkCommand.self, HelpCommand.self,
  ]

  static func named(_ name: String) -> (any Command.Type)? {
    for command in all where command.name == name { return command }
    return nil
  }
}

/// How a command's result is written: `--format` and `--color`.
struct OutputChoice {
  static let format = Option(
    name: "format", value: "NAME",
    help: Renderers.all.map { $0.name }.joined(separator: ", ") + " (default: text)",
    choices: Renderers.all.map { $0.name })
  static let options = [format, Option.color]

  let renderer: any Renderer.Type
  let style: TextStyle

  init(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError) {
    let name = arguments[Self.format] ?? Renderers.all.first?.name ?? ""
    guard let renderer = Renderers.named(name) else {
      throw PlanError(.defect, "no renderer \"\(name)\"", fix: "Report this.")
    }
    self.renderer = renderer
    let choice = arguments[.color].flatMap(ColorChoice.init(rawValue:)) ?? .auto
    style = TextStyle(color: choice.isColored(invocation.output))
  }
}

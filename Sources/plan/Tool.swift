import Planner

/// The command line tool as a function: words in, text and an exit code out.
enum Tool {
  static let version = "0.1.0"

  /// What a run of the tool comes to.
  struct Answer: Equatable {
    var exitCode: ExitCode
    var output = ""
    var errors = ""
  }

  /// Finds the command, runs it, and turns errors into text; throws and prints nothing.
  static func run(_ invocation: Invocation) -> Answer {
    do {
      let result = try dispatch(invocation)
      return Answer(exitCode: result.exitCode, output: result.output)
    } catch {
      let style = TextStyle(color: ColorChoice.auto.isColored(invocation.errors))
      return Answer(
        exitCode: ExitCode(error), errors: ErrorText.render(error, style: style))
    }
  }

  private static func dispatch(_ invocation: Invocation) throws(PlanError) -> CommandResult {
    guard let first = invocation.arguments.first else {
      return CommandResult(output: HelpPage.short, exitCode: .wrongInput)
    }
    let rest = Array(invocation.arguments.dropFirst())
    switch first {
    case "--help", "-h": return CommandResult(output: HelpPage.short)
    case "--version": return CommandResult(output: "plan \(version)\n")
    default: break
    }
    guard let command = Commands.named(first) else { throw .noCommand(first) }
    let words = rest.prefix { $0 != "--" }
    if words.contains("--help") || words.contains("-h") {
      return CommandResult(output: HelpPage.text(of: command))
    }
    let arguments = try ParsedArguments(rest, options: command.options)
    if let extra = arguments.operands.dropFirst(command.mostOperands).first {
      throw .oneTooMany(extra, command.usage.first ?? "")
    }
    return try command.run(arguments, invocation)
  }
}

/// What the exit code says.
enum ExitCode: Int32 {
  /// Answered, or it fits.
  case answered = 0
  /// Answered: it does not fit.
  case doesNotFit = 1
  /// The input is wrong or unreadable.
  case wrongInput = 2
  /// A defect in plan itself.
  case defect = 70

  /// The code for an error.
  init(_ error: PlanError) { self = error.kind == .defect ? .defect : .wrongInput }
}

extension PlanError {
  fileprivate static func oneTooMany(_ word: String, _ usage: String) -> Self {
    Self(.invalid, "\"\(word.prefix(80))\" is one word too many", fix: "Write: \(usage).")
  }

  fileprivate static func noCommand(_ name: String) -> Self {
    if name.hasPrefix("-") {
      return Self(
        .unknown, "an option before the command: \"\(name.prefix(80))\"",
        fix: "Write the command first: plan fit …; \"plan help\" lists the commands.")
    }
    return .unknownName(
      name, "command", among: Commands.all.map { $0.name }, path: "", list: "plan help")
  }
}

import Planner

/// `plan explain`: what a term of the reports and scenarios means.
enum ExplainCommand: Command {
  static let name = "explain"
  static let summary = "what a term means: micro-batch, reserved, recompute, ..."
  static let usage = ["plan explain TERM", "plan explain"]
  static let examples = ["plan explain reserved", "plan explain micro-batch"]
  static let options: [Option] = []

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    guard let asked = arguments.operands.first else {
      let lines = Glossary.terms.map {
        TextLayout.line(TextLayout.left($0.name, 23) + " " + $0.short, TextLayout.width)
      }
      return CommandResult(output: lines.joined(separator: "\n") + "\n")
    }
    let wanted = Glossary.key(asked)
    for term in Glossary.terms where Glossary.key(term.name) == wanted {
      return CommandResult(output: page(term.name, term.text))
    }
    for (name, summary) in Glossary.techniques where Glossary.key(name) == wanted {
      return CommandResult(output: page(name, summary))
    }
    throw .unknownName(
      asked, "term", among: Glossary.terms.map(\.name) + Glossary.techniques.map(\.name),
      path: "", list: "plan explain")
  }

  private static func page(_ name: String, _ text: String) -> String {
    ([name, ""] + TextLayout.wrap(text, TextLayout.width - 2).map { "  " + $0 })
      .joined(separator: "\n") + "\n"
  }
}

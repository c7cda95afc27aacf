import Planner

/// `plan report`: a page to hand on.
enum ReportCommand: Command {
  static let name = "report"
  static let summary = "the document for a decision: HTML in one file, or Markdown"
  static let usage = [
    "plan report SCENARIO.json -o FILE [options]",
    "plan report --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = [
    "plan report scenario.json -o report.html", "plan report scenario.json -o report.md",
  ]
  static let options = [format, .output, .prices] + ScenarioOption.all.map(\.option)
  static let listsScenarioOptions = false

  private static let format = Option(
    name: "format", value: "NAME",
    help: Renderers.all.map { $0.name }.joined(separator: ", ")
      + " (default: what -o ends in, else html)",
    choices: Renderers.all.map { $0.name })

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let path = arguments[.output]
    let isMarkdown = path.map { $0.hasSuffix(".md") || $0.hasSuffix(".markdown") } ?? false
    let name = arguments[format] ?? (isMarkdown ? "markdown" : "html")
    guard let renderer = Renderers.named(name) else {
      throw PlanError(.defect, "no renderer \"\(name)\"", fix: "Report this.")
    }
    let source = try ScenarioSource(arguments, invocation)
    let (_, document) = try source.planned { (scenario) throws(PlanError) in
      try ReportDocument(scenario, written: source.document, compares: true)
    }
    let text = renderer.render(document, style: TextStyle())
    let exitCode: ExitCode = document.report.fits ? .answered : .doesNotFit
    guard let path else {
      return CommandResult(output: text, exitCode: exitCode)
    }
    try invocation.writeFile(path, Array(text.utf8))
    return CommandResult(
      output: "\(TextLayout.printable(path)): \(document.report.fits ? "fits" : "does not fit")\n",
      exitCode: exitCode)
  }
}

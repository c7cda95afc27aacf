import Planner

/// `plan report`: a page to hand on.
enum ReportCommand: Command {
  static let name = "report"
  static let summary = "a page with everything, to hand on: HTML in one file"
  static let usage = [
    "plan report SCENARIO.json -o FILE [options]",
    "plan report --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = ["plan report scenario.json -o report.html"]
  static let options = [format, .output] + ScenarioOption.all.map(\.option)
  static let listsScenarioOptions = false

  private static let format = Option(
    name: "format", value: "NAME",
    help: Renderers.all.map { $0.name }.joined(separator: ", ") + " (default: html)",
    choices: Renderers.all.map { $0.name })

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let name = arguments[format] ?? "html"
    guard let renderer = Renderers.named(name) else {
      throw PlanError(.defect, "no renderer \"\(name)\"", fix: "Report this.")
    }
    let source = try ScenarioSource(arguments, invocation)
    let (_, document) = try source.planned { (scenario) throws(PlanError) in
      try ReportDocument(scenario, written: source.document)
    }
    let text = renderer.render(document, style: TextStyle())
    let exitCode: ExitCode = document.report.fits ? .answered : .doesNotFit
    guard let path = arguments[.output] else {
      return CommandResult(output: text, exitCode: exitCode)
    }
    try invocation.writeFile(path, Array(text.utf8))
    return CommandResult(
      output: "\(TextLayout.printable(path)): \(document.report.fits ? "fits" : "does not fit")\n",
      exitCode: exitCode)
  }
}

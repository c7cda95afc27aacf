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
    let name: String
    if let given = arguments[format] { name = given } else { name = try format(of: path) }
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

  /// What the file's name ends in; one without an ending is HTML.
  private static func format(of path: String?) throws(PlanError) -> String {
    let file = path?.split(separator: "/").last ?? ""
    guard let dot = file.lastIndex(of: ".") else { return "html" }
    switch file[dot...].lowercased() {
    case ".html", ".htm": return "html"
    case ".md", ".markdown": return "markdown"
    case ".json": return "json"
    case ".txt": return "text"
    case let ending:
      throw PlanError(
        .invalid, "a report is no \"\(ending.prefix(40))\"", path: Option.output.flag,
        fix: "Name it report.html or report.md, or say --format.")
    }
  }
}

import Planner

/// `plan trace`: the step over time, for a viewer.
enum TraceCommand: Command {
  static let name = "trace"
  static let summary = "the step over time, for Perfetto or PyTorch's memory_viz"
  static let usage = [
    "plan trace SCENARIO.json -o FILE [options]",
    "plan trace --model NAME --micro-batch-size N --sequence-length N [options]",
  ]
  static let examples = ["plan trace scenario.json --format snapshot -o step.pickle"]
  static let options = [format, layers, .output] + ScenarioOption.all.map(\.option)

  static let listsScenarioOptions = false

  private static let format = Option(
    name: "format", value: "NAME", help: "chrome (JSON), or snapshot (a pickle)",
    choices: TraceFormat.allCases.map(\.rawValue))
  private static let layers = Option(
    name: "layers", value: "N", help: "the model with its first N layers alone")

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let format = arguments[format].flatMap(TraceFormat.init) ?? .chrome
    let path = arguments[.output]
    if format == .snapshot, path == nil { throw .notForTerminals }
    var most: Int?
    if let text = arguments[layers] {
      guard let count = Int(text), count > 0 else { throw .notLayers(text) }
      most = count
    }
    let source = try ScenarioSource(arguments, invocation)
    let (scenario, planned) = try source.planned { (scenario) throws(PlanError) in
      try Planner.timeline(of: scenario, layers: most)
    }
    var timeline = planned
    let bytes = try format.render(planned, of: scenario) { timeline.notes.append($0) }
    guard let path else { return CommandResult(output: String(decoding: bytes, as: UTF8.self)) }
    try invocation.writeFile(path, bytes)
    var lines = [
      "\(TextLayout.printable(path)): \(TextLayout.grouped(timeline.count)) allocations and releases, "
        + "\(timeline.highest) live at the peak"
    ]
    lines += timeline.notes.map { "  " + $0 }
    switch format {
    case .chrome: lines.append("  open it in ui.perfetto.dev")
    case .snapshot:
      lines.append("  open it in pytorch.org/memory_viz, or: python -m torch.cuda._memory_viz")
    }
    return CommandResult(output: lines.joined(separator: "\n") + "\n")
  }
}

extension PlanError {
  fileprivate static var notForTerminals: Self {
    Self(
      .invalid, "a snapshot is no text", path: "--format", fix: "Name a file: -o step.pickle.")
  }

  fileprivate static func notLayers(_ text: String) -> Self {
    Self(
      .invalid, "expected a number of layers above 0, found \"\(text.prefix(80))\"",
      path: "--layers", fix: "Write --layers with digits, such as 4.")
  }
}

import Planner

/// `plan check`: a measured run beside its plan.
enum CheckCommand: Command {
  static let name = "check"
  static let summary = "a measured run beside its plan, and what explains a gap"
  static let usage = [
    "plan check SCENARIO.json --measured SIZE [--quantity NAME] [options]",
    "plan check SCENARIO.json --measured STATS.json [options]",
  ]
  static let examples = [
    "plan check scenario.json --measured 21.8GiB --quantity reserved",
    "plan check scenario.json --measured memory_stats.json",
  ]
  static let options =
    [measured, quantity, format, .color] + ScenarioOption.all.map(\.option)
  static let listsScenarioOptions = false

  private static let measured = Option(
    name: "measured", value: "WHAT",
    help: "a size, or a file with the JSON of torch.cuda.memory_stats(), whose peaks of "
      + "requested, allocated and reserved bytes are taken; the exit code is 0 within 5 %, else 1")
  private static let quantity = Option(
    name: "quantity", value: "NAME", help: "what the size is: live, allocated, reserved, device",
    choices: GapSearch.Quantity.allCases.map(\.rawValue))
  private static let format = Option(
    name: "format", value: "NAME", help: "text, json (default: text)", choices: ["text", "json"])

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    guard let given = arguments[measured] else { throw .nothingMeasured }
    let quantity = arguments[quantity].flatMap(GapSearch.Quantity.init)
    let figures = try figures(given, quantity, invocation)
    let source = try ScenarioSource(arguments, invocation)
    let (_, gap) = try source.planned { (scenario) throws(PlanError) in
      switch figures {
      case .one(let size): try GapSearch(scenario, measured: size)
      case .named(let sizes): try GapSearch(scenario, measured: sizes)
      }
    }
    let choice = arguments[.color].flatMap(ColorChoice.init(rawValue:)) ?? .auto
    let style = TextStyle(color: choice.isColored(invocation.output))
    return CommandResult(
      output: arguments[format] == "json" ? GapText.json(gap) : GapText.text(gap, style: style),
      exitCode: gap.agrees ? .answered : .doesNotFit)
  }

  private enum Figures {
    case one(Bytes)
    case named([GapSearch.Quantity: Bytes])
  }

  private static func figures(
    _ text: String, _ quantity: GapSearch.Quantity?, _ invocation: Invocation
  ) throws(PlanError) -> Figures {
    if let size = Bytes(measured: text) {
      return quantity.map { .named([$0: size]) } ?? .one(size)
    }
    guard text.hasSuffix(".json") else { throw .notMeasured(text) }
    let bytes = try invocation.readFile(text)
    let stats: JSONValue
    do { stats = try JSONReader.read(bytes) } catch { throw error.inFile(text) }
    var sizes: [GapSearch.Quantity: Bytes] = [:]
    for (quantity, name) in [
      (GapSearch.Quantity.live, "requested_bytes"), (.allocated, "allocated_bytes"),
      (.reserved, "reserved_bytes"),
    ] {
      let value = stats["\(name).all.peak"] ?? stats[name]?["all"]?["peak"]
      if case .integer(let count)? = value, count > 0 { sizes[quantity] = Bytes(count) }
    }
    guard !sizes.isEmpty else { throw .noStatistics(text) }
    if let quantity {
      guard let one = sizes[quantity] else { throw .noStatistics(text) }
      return .named([quantity: one])
    }
    return .named(sizes)
  }
}

extension PlanError {
  fileprivate static var nothingMeasured: Self {
    Self(.invalid, "nothing measured", fix: "Add --measured 21.8GiB, or a memory_stats() file.")
  }

  fileprivate static func notMeasured(_ text: String) -> Self {
    Self(
      .invalid, "expected a size or a .json file, found \"\(text.prefix(80))\"", path: "--measured",
      fix: "Write a size with its unit, such as 21.8GiB, or a file such as memory_stats.json.")
  }

  fileprivate static func noStatistics(_ path: String) -> Self {
    Self(
      .invalid, "no peaks of torch.cuda.memory_stats() in it", path: path,
      fix:
        "Save it with json.dump(torch.cuda.memory_stats(), file): \"allocated_bytes.all.peak\", …")
  }
}

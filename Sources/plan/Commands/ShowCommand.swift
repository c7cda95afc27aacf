import Planner

/// `plan show`: what the tool knows, as a list, or one entry of it.
enum ShowCommand: Command {
  static let name = "show"
  static let summary = "models, devices, strategies, optimizers, keys of a scenario"
  static let usage = [
    "plan show models | devices | strategies | optimizers | scenario [options]",
    "plan show NAME [options]    an entry of a list; strategies and optimizers",
    "                            with their keys",
    "plan show KEY [options]     a key of a scenario: workload, hardware, run, …",
  ]
  static let examples = [
    "plan show devices", "plan show llama-2-7b > config.json", "plan show checkpointing",
  ]
  static let options = OutputChoice.options

  static func run(_ arguments: ParsedArguments, _ invocation: Invocation) throws(PlanError)
    -> CommandResult
  {
    let output = try OutputChoice(arguments, invocation)
    guard let name = arguments.operands.first else { throw .nothingToShow }
    let isJSON = output.renderer.name == "json"
    for list in ShowLists.all where list.name == name {
      return CommandResult(
        output: isJSON ? JSONWriter.text(list.json) + "\n" : list.table.text(style: output.style))
    }
    return CommandResult(output: try entry(name, isJSON))
  }

  private static func entry(_ name: String, _ isJSON: Bool) throws(PlanError) -> String {
    if let model = ModelCatalog.named(name) ?? ModelCatalog.all.first(where: { $0.hub == name }) {
      return JSONWriter.text(ShowEntries.config(of: model)) + "\n"
    }
    if let entry = ShowEntries.described(name) {
      guard isJSON else { return ShowEntries.lines(of: entry) }
      return JSONWriter.text(ShowEntries.json(of: entry)) + "\n"
    }
    let json: JSONValue
    if let device = DeviceCatalog.named(name) {
      json = ShowEntries.json(of: device)
    } else if let device = UnplannedDevice.named(name) {
      json = ShowEntries.json(of: device)
    } else {
      let names = ShowLists.all.map(\.name) + ShowLists.all.flatMap(\.entries)
      throw .unknownName(name, "list or entry", among: names, path: "", list: "plan help show")
    }
    return isJSON ? JSONWriter.text(json) + "\n" : ShowEntries.lines(of: json)
  }
}

extension PlanError {
  fileprivate static var nothingToShow: Self {
    Self(
      .invalid, "nothing to show",
      fix: "Name a list (models, devices, strategies, optimizers, scenario), or an entry of one.")
  }
}

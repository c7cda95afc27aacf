/// One option of a command: what the parser accepts and what the help says.
struct Option: Sendable {
  /// The name without its dashes: `micro-batch-size`.
  var name: String
  /// What stands for its value in the help, or `nil` where it takes none.
  var value: String?
  /// What it does, in a few words.
  var help: String
  /// The values it takes, where there are only a few.
  var choices: [String] = []
  /// The heading that the help lists it under.
  var group = "Options"

  /// As it is written: `--micro-batch-size`.
  var flag: String { "--" + name }

  /// As the help shows it: `--micro-batch-size N`.
  var usage: String { value.map { "\(flag) \($0)" } ?? flag }
}

extension Option {
  static let help = Option(name: "help", help: "show this text (also -h)")
  static let color = Option(
    name: "color", value: "WHEN", help: "auto, always or never (default: auto)",
    choices: ColorChoice.allCases.map(\.rawValue))
}

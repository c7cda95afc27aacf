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
  var group = ownGroup

  /// A second way to write it: `-o`.
  var short: String?

  /// As it is written: `--micro-batch-size`.
  var flag: String { "--" + name }

  /// As the help shows it: `--micro-batch-size N`.
  var usage: String {
    let flags = short.map { "\($0), \(flag)" } ?? flag
    return value.map { "\(flags) \($0)" } ?? flags
  }
}

extension Option {
  /// The heading of a command's own options.
  static let ownGroup = "Options"
  static let help = Option(name: "help", help: "show this text (also -h)")
  static let output = Option(
    name: "output", value: "FILE", help: "where the result goes", short: "-o")
  static let prices = Option(
    name: "prices", value: "FILE", help: "a price list of your own (JSON)")
  static let color = Option(
    name: "color", value: "WHEN", help: "auto, always or never (default: auto)",
    choices: ColorChoice.allCases.map(\.rawValue))
}

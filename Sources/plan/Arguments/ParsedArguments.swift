import Planner

/// The words after a command, told apart: values of options, and the rest.
struct ParsedArguments {
  /// What is no option, in order; `-` counts here.
  private(set) var operands: [String] = []
  private var values: [String: String] = [:]

  /// Reads `--name value`, `--name=value` and `--flag`; after `--` nothing is an option.
  ///
  /// - Throws: ``PlanError`` for an unknown option, one that stands twice, a missing or needless value, and
  ///   a value that is none of the choices.
  init(_ words: [String], options: [Option]) throws(PlanError) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        return
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = String(parts[0])
      guard let option = options.first(where: { $0.flag == flag || $0.short == flag }) else {
        throw .unknownOption(flag, options)
      }
      guard values[option.name] == nil else { throw .repeatedOption(flag) }
      let given = parts.count > 1 ? String(parts[1]) : nil
      values[option.name] = try Self.value(of: option, given, &rest)
    }
  }

  /// The value of an option, or `nil` where it was not given.
  subscript(_ option: Option) -> String? { values[option.name] }

  /// Whether any option or operand was given.
  var isEmpty: Bool { operands.isEmpty && values.isEmpty }

  private static func value(
    of option: Option, _ given: String?, _ rest: inout ArraySlice<String>
  ) throws(PlanError) -> String {
    guard let name = option.value else {
      guard given == nil else { throw .needlessValue(option) }
      return ""
    }
    var value = given
    if value == nil, let next = rest.first, !next.hasPrefix("--") { value = rest.popFirst() }
    guard let value, !value.isEmpty else { throw .missingValue(option, name) }
    guard option.choices.isEmpty || option.choices.contains(value) else {
      throw .unknownName(value, "choice", among: option.choices, path: option.flag)
    }
    return value
  }
}

extension PlanError {
  fileprivate static func unknownOption(_ flag: String, _ options: [Option]) -> Self {
    let flags = options.map(\.flag)
    return .unknownName(flag, "option", among: flags, path: "", list: "--help")
  }

  fileprivate static func repeatedOption(_ flag: String) -> Self {
    Self(.conflict, "\(flag) stands twice", fix: "Remove one of the two.")
  }

  fileprivate static func needlessValue(_ option: Option) -> Self {
    Self(.invalid, "\(option.flag) takes no value", fix: "Write \(option.flag) alone.")
  }

  fileprivate static func missingValue(_ option: Option, _ name: String) -> Self {
    Self(.invalid, "\(option.flag) needs a value", fix: "Write \(option.flag) \(name).")
  }
}

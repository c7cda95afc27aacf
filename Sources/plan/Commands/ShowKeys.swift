import Planner

/// The keys of a settings object, as JSON and as lines.
enum ShowKeys {
  /// A key with what it takes; `needed`, `default` or `otherwise` says what stands for it.
  static func json(of key: SettingKey) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(key.name)), .init("takes", .string(form(of: key.values))),
    ]
    switch key.values {
    case .integer(let range), .integers(let range):
      members += [
        .init("least", .integer(range.lowerBound)), .init("most", .integer(range.upperBound)),
      ]
    case .number(let range):
      members += [
        .init("least", .number(range.lowerBound)), .init("most", .number(range.upperBound)),
      ]
    case .choice(let names): members.append(.init("choices", .array(names.map { .string($0) })))
    case .object(let keys): members.append(.init("keys", .array(keys.map(json))))
    case .other(_, let example): members.append(.init("example", example))
    case .truth, .texts, .text: break
    }
    switch key.fallback {
    case .needed: members.append(.init("needed", true))
    case .value(let value): members.append(.init("default", value))
    case .said(let text): members.append(.init("otherwise", .string(text)))
    }
    members.append(.init("meaning", .string(key.meaning)))
    if let condition = key.condition {
      members.append(
        .init("with", .object([.init(condition.key, .array(condition.values))])))
    }
    return .object(members)
  }

  /// Two lines or three for each key; those of an object within follow it with its name and a point.
  static func lines(of keys: [SettingKey], inside prefix: String = "") -> String {
    var text = ""
    for key in keys {
      let name = "  " + prefix + key.name
      var rows = TextLayout.wrap(takes(key), TextLayout.width - column)
      rows += TextLayout.wrap(key.meaning, TextLayout.width - column)
      if let condition = key.condition {
        rows += TextLayout.wrap("only with " + condition.text, TextLayout.width - column)
      }
      if name.count >= column {
        text += name + "\n"
      } else if let first = rows.first {
        text += TextLayout.left(name, column) + first + "\n"
        rows.removeFirst()
      }
      for row in rows { text += TextLayout.left("", column) + row + "\n" }
      if case .object(let inner) = key.values {
        text += lines(of: inner, inside: prefix + key.name + ".")
      }
    }
    return text
  }

  /// What a key takes and what stands for it: `true or false; default true`.
  static func takes(_ key: SettingKey) -> String {
    let form = form(of: key.values)
    switch key.fallback {
    case .needed: return form + "; needed"
    case .value(let value): return form + "; default " + JSONWriter.line(value)
    case .said(let text): return form + "; default: " + text
    }
  }

  private static let column = 20

  private static func form(of values: SettingKey.Values) -> String {
    switch values {
    case .integer(let range):
      range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "a whole number " + text(range)
    case .number(let range):
      "a number from \(text(range.lowerBound)) to \(text(range.upperBound))"
    case .truth: "true or false"
    case .choice(let names): names.map { "\"\($0)\"" }.joined(separator: ", ")
    case .integers(let range): "a list of whole numbers " + text(range)
    case .texts: "a list of texts"
    case .text: "a text"
    case .object: "an object"
    case .other(let form, _): form
    }
  }

  private static func text(_ range: ClosedRange<Int>) -> String {
    "from \(TextLayout.grouped(range.lowerBound)) to \(TextLayout.grouped(range.upperBound))"
  }

  private static func text(_ number: Double) -> String {
    Int(exactly: number).map(TextLayout.grouped) ?? "\(number)"
  }
}

/// Writes JSON: two spaces of indentation, members in their order, the same text on every run.
public enum JSONWriter {
  /// The text of a value, without a line break at its end.
  ///
  /// Integers are exact. A number that is not finite has no JSON and becomes `null`. Lists and objects that hold
  /// nothing stay on one line.
  public static func text(_ value: JSONValue) -> String {
    var text = ""
    write(value, indent: 0, to: &text)
    return text
  }

  /// The text of a value in one line: `{ "policy": "full" }`.
  package static func line(_ value: JSONValue) -> String {
    switch value {
    case .array(let elements): "[" + elements.map(line).joined(separator: ", ") + "]"
    case .object(let members):
      "{ " + members.map { text(.string($0.key)) + ": " + line($0.value) }.joined(separator: ", ")
        + " }"
    default: text(value)
    }
  }

  private static func write(_ value: JSONValue, indent: Int, to text: inout String) {
    switch value {
    case .null: text += "null"
    case .bool(let truth): text += truth ? "true" : "false"
    case .integer(let number): text += String(number)
    case .number(let number): text += number.isFinite ? number.description : "null"
    case .string(let string): quote(string, to: &text)
    case .array(let elements):
      block("[", "]", count: elements.count, indent: indent, to: &text) { index, text in
        write(elements[index], indent: indent + 2, to: &text)
      }
    case .object(let members):
      block("{", "}", count: members.count, indent: indent, to: &text) { index, text in
        quote(members[index].key, to: &text)
        text += ": "
        write(members[index].value, indent: indent + 2, to: &text)
      }
    }
  }

  private static func block(
    _ opening: String, _ closing: String, count: Int, indent: Int, to text: inout String,
    element: (Int, inout String) -> Void
  ) {
    text += opening
    for index in 0..<count {
      text += index == 0 ? "\n" : ",\n"
      text += String(repeating: " ", count: indent + 2)
      element(index, &text)
    }
    if count > 0 { text += "\n" + String(repeating: " ", count: indent) }
    text += closing
  }

  private static func quote(_ string: String, to text: inout String) {
    text += "\""
    if string.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C && $0 != 0x7F }) {
      text += string + "\""
      return
    }
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7F}":
        let digits = String(scalar.value, radix: 16, uppercase: false)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

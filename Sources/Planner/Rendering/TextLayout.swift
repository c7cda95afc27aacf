/// Lays text out in columns of a terminal, one character per column.
package enum TextLayout {
  /// The width that every text keeps to.
  package static let width = 80

  /// The text with blanks behind it up to `width`; longer text stays as it is.
  package static func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// The text with blanks before it up to `width`; longer text stays as it is.
  package static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// One line of at most `width` characters, without control characters; what is cut off becomes an ellipsis.
  package static func line(_ text: String, _ width: Int) -> String {
    let clean = printable(text)
    return clean.count <= width ? clean : clean.prefix(max(0, width - 1)) + "…"
  }

  /// The text with control characters replaced, so that a file cannot steer the terminal.
  package static func printable(_ text: String) -> String {
    var clean = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0..<0x20, 0x7F..<0xA0, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069:
        clean.append("\u{FFFD}")
      default: clean.append(scalar)
      }
    }
    return String(clean)
  }

  /// The words in lines of at most `width` characters; a longer word is cut.
  package static func wrap(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var current = ""
    for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      if !current.isEmpty, current.count + 1 + word.count > width {
        lines.append(current)
        current = ""
      }
      current += current.isEmpty ? line(String(word), width) : " " + printable(String(word))
    }
    return current.isEmpty ? lines : lines + [current]
  }

  /// Digits in groups of three: `6,738,415,616`.
  package static func grouped(_ number: Int) -> String {
    var text = ""
    let digits = String(number.magnitude)
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return number < 0 ? "-" + text : text
  }

  /// A fraction as a percentage with one digit: `33.3 %`.
  package static func percent(_ fraction: Double) -> String {
    Decimal.text(fraction * 100, digits: 1) + " %"
  }

  /// A number with a decimal prefix and the unit: `63.2 TFLOP`.
  package static func metric(_ value: Double, _ unit: String) -> String {
    let prefixes = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"]
    var (value, index) = (value, 0)
    while abs(value) >= 1000, index + 1 < prefixes.count {
      (value, index) = (value / 1000, index + 1)
    }
    return "\(Decimal.text(value, digits: index == 0 ? 0 : 1)) \(prefixes[index])\(unit)"
  }

  /// A duration with a unit that suits it: `12.3 ms`, `1.84 s`, `3.1 h`.
  package static func duration(_ seconds: Seconds) -> String {
    let value = seconds.value
    if value < 1 { return Decimal.text(value * 1000, digits: 1) + " ms" }
    if value < 600 { return Decimal.text(value, digits: 2) + " s" }
    return Decimal.text(value / 3600, digits: 1) + " h"
  }
}

/// One unit for all amounts of a text, so that they can be compared at a glance.
struct MemoryScale {
  let unit: String
  private let divisor: Double
  private let digits: Int

  /// GiB, or MiB where the largest amount is below half a GiB.
  init(largest: Bytes) {
    let isSmall = largest.count < 1 << 29
    (unit, divisor, digits) = isSmall ? ("MiB", 1_048_576, 1) : ("GiB", 1_073_741_824, 2)
  }

  /// The amount with the unit; what would be all zeros in it has a smaller one.
  func text(_ bytes: Bytes) -> String {
    let text = Decimal.text(Double(bytes.count) / divisor, digits: digits)
    let isTooSmall = bytes != .zero && text.allSatisfy { $0 == "0" || $0 == "." }
    return isTooSmall ? bytes.description : text + " " + unit
  }
}

/// Texts, numbers and words.
extension JSONSyntax {
  /// Moves over text in double quotes.
  mutating func string() throws(PlanError) {
    let start = position
    position += 1
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw controlCharacter(byte)
      case 0x20..<0x80: position += 1
      default: try multibyte()
      }
    }
    throw endInQuotes(start)
  }

  /// Moves over a number, and sees that it is in the range of a `Double`.
  mutating func number() throws(PlanError) {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    let whole = digits()
    var good = whole == 1 || (whole > 1 && bytes[position - whole] != UInt8(ascii: "0"))
    var needsRange = whole > 300
    if current == UInt8(ascii: ".") {
      position += 1
      good = digits() > 0 && good
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      good = digits() > 0 && good
      needsRange = true
    }
    guard good else { throw notANumber(start) }
    let text = bytes[start..<position]
    if needsRange, Double(String(decoding: text, as: UTF8.self))?.isFinite != true {
      throw tooLarge(text, at: start)
    }
  }

  /// Moves over `true`, `false` or `null`.
  mutating func word() throws(PlanError) {
    let start = position
    while let byte = current, isWordPart(byte) { position += 1 }
    switch String(decoding: bytes[start..<position].prefix(8), as: UTF8.self) {
    case "true", "false", "null": return
    default:
      position = start
      throw unexpected("a value")
    }
  }

  /// An error that names what stands at the current position instead of what was expected.
  func unexpected(_ wanted: String) -> PlanError {
    PlanError(
      .syntax, "expected \(wanted), found \(found(position))", path: place(position),
      fix: advice(wanted))
  }

  /// What stands at an offset, short enough for a message.
  func found(_ offset: Int) -> String {
    guard offset < bytes.count else { return "the end of the text" }
    var end = offset
    while end < bytes.count, end - offset < 24, isWordPart(bytes[end]) { end += 1 }
    if end == offset { end = min(offset + characterLength(bytes[offset]), bytes.count) }
    guard let text = String(validating: bytes[offset..<end], as: UTF8.self) else {
      return "the byte 0x\(String(bytes[offset], radix: 16, uppercase: true)), which is not UTF-8"
    }
    return text == "\"" ? "text in quotes" : "\"\(text)\""
  }
}

extension JSONSyntax {
  private mutating func digits() -> Int {
    let start = position
    while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
    return position - start
  }

  private mutating func escape() throws(PlanError) {
    let start = position
    position += 1
    guard let letter = current else { return }
    position += 1
    guard letter == UInt8(ascii: "u") else {
      guard "\"\\/bfnrt".utf8.contains(letter) else { throw badEscape(start) }
      return
    }
    let unit = try codeUnit(start)
    if 0xDC00..<0xE000 ~= unit { throw loneSurrogate(start) }
    guard 0xD800..<0xDC00 ~= unit else { return }
    guard bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
      throw loneSurrogate(start)
    }
    position += 2
    guard 0xDC00..<0xE000 ~= (try codeUnit(start)) else { throw loneSurrogate(start) }
  }

  private mutating func codeUnit(_ start: Int) throws(PlanError) -> Int {
    var unit = 0
    for _ in 0..<4 {
      guard let byte = current, let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw badEscape(start)
      }
      unit = unit * 16 + digit
      position += 1
    }
    return unit
  }

  private mutating func multibyte() throws(PlanError) {
    let end = position + characterLength(bytes[position])
    guard end <= bytes.count, String(validating: bytes[position..<end], as: UTF8.self) != nil else {
      throw notUTF8()
    }
    position = end
  }

  private func characterLength(_ byte: UInt8) -> Int {
    byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
  }

  private func isWordPart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "+"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }

  private func advice(_ wanted: String) -> String {
    let text = String(decoding: bytes[position...].prefix(8), as: UTF8.self)
    if text.utf8.first.map({ $0 >= 0x80 }) == true, found(position).hasSuffix("UTF-8") {
      return "Save the file as UTF-8."
    }
    if text.hasPrefix("//") || text.hasPrefix("#") || text.hasPrefix("/*") {
      return "Remove the comment: JSON has none."
    }
    if text.hasPrefix("'") { return "Use double quotes." }
    if wanted.hasPrefix("a key") { return "Write the key in double quotes." }
    if wanted.hasPrefix("a value") {
      return "Write text in double quotes, a number, true, false, null, [ … ] or { … }."
    }
    return "Write \(wanted) here."
  }
}

extension JSONSyntax {
  fileprivate func endInQuotes(_ start: Int) -> PlanError {
    PlanError(
      .syntax, "the text ends inside the quotes that open at \(place(start))",
      path: place(position), fix: "Write the rest, and close the quotes.")
  }

  fileprivate func notANumber(_ start: Int) -> PlanError {
    PlanError(
      .syntax, "\(found(start)) is not written as JSON writes numbers", path: place(start),
      fix: "Write digits on both sides of a point, and no zero in front: 10, 0.5 or 1e6.")
  }

  fileprivate func tooLarge(_ text: ArraySlice<UInt8>, at start: Int) -> PlanError {
    let shown = String(decoding: text.prefix(24), as: UTF8.self) + (text.count > 24 ? "…" : "")
    return PlanError(
      .syntax, "\(shown) is beyond what a number can hold", path: place(start),
      fix: "Use a number below 1.8e308.")
  }

  fileprivate func controlCharacter(_ byte: UInt8) -> PlanError {
    let isBreak = byte == 0x0A || byte == 0x0D
    let name = isBreak ? "a line break" : byte == 0x09 ? "a tab" : "a control character"
    return PlanError(
      .syntax, "\(name) inside text in quotes", path: place(position),
      fix: "Close the quotes before it, or write it as \\n, \\t or \\u00XX.")
  }

  fileprivate func badEscape(_ start: Int) -> PlanError {
    PlanError(
      .syntax, "an unknown escape after a backslash", path: place(start),
      fix: "Use \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t or \\u with four hexadecimal digits.")
  }

  fileprivate func loneSurrogate(_ start: Int) -> PlanError {
    PlanError(
      .syntax, "half of a character: a surrogate without its partner", path: place(start),
      fix: "Write the character itself, or both halves: \\uD83D\\uDE00.")
  }

  fileprivate func notUTF8() -> PlanError {
    PlanError(
      .syntax, "\(found(position)), inside text in quotes", path: place(position),
      fix: "Save the file as UTF-8.")
  }
}

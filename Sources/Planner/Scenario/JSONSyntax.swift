/// Goes over JSON text (RFC 8259) and throws at the first mistake, with line, column and what belongs there.
///
/// It makes no values. Nesting is a list and not recursion, so no text can exhaust the stack.
struct JSONSyntax {
  /// The deepest nesting; a model's config needs five, and the decoder's work grows with the cube of it.
  static let deepest = 64

  /// What may come next.
  private enum Expectation {
    case value, firstElement, firstKey, key, colon, next, end
  }

  /// An object or list that is not closed yet.
  private struct Open {
    let start: Int
    let isObject: Bool
    var keys: Set<[UInt8]> = []

    var name: String { isObject ? "object" : "list" }
    var closing: UInt8 { UInt8(ascii: isObject ? "}" : "]") }
  }

  let bytes: [UInt8]
  var position = 0
  private var open: [Open] = []
  private var expectation = Expectation.value
  private var lastComma = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Throws ``PlanError/Kind/syntax`` unless `bytes` are one JSON value in UTF-8; a byte order mark may come first.
  static func check(_ bytes: [UInt8]) throws(PlanError) {
    var text = Self(bytes)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { text.position = 3 }
    while true {
      text.skipSpace()
      if text.position == bytes.count {
        guard case .end = text.expectation else { throw text.unfinished() }
        return
      }
      try text.step()
    }
  }

  /// The byte at the current position, or `nil` at the end.
  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Where a byte stands, as people count: lines and columns from 1, a column per character code.
  func place(_ offset: Int) -> String {
    var (line, column) = (1, 1)
    for byte in bytes.prefix(offset).dropFirst(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0) {
      if byte == UInt8(ascii: "\n") {
        (line, column) = (line + 1, 1)
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    return "line \(line), column \(column)"
  }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func step() throws(PlanError) {
    let byte = bytes[position]
    switch expectation {
    case .firstElement where byte == UInt8(ascii: "]"): close()
    case .firstKey where byte == UInt8(ascii: "}"): close()
    case .value, .firstElement: try value(byte)
    case .firstKey, .key: try key(byte)
    case .colon:
      guard byte == UInt8(ascii: ":") else { throw unexpected("a colon after the key") }
      position += 1
      expectation = .value
    case .next: try next(byte)
    case .end: throw trailing()
    }
  }

  private mutating func value(_ byte: UInt8) throws(PlanError) {
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard open.count < Self.deepest else { throw tooDeep() }
      let isObject = byte == UInt8(ascii: "{")
      open.append(Open(start: position, isObject: isObject))
      position += 1
      expectation = isObject ? .firstKey : .firstElement
      return
    case UInt8(ascii: "]") where lastCommaEnds, UInt8(ascii: "}") where lastCommaEnds:
      throw trailingComma()
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: try word()
    }
    expectation = open.isEmpty ? .end : .next
  }

  private mutating func key(_ byte: UInt8) throws(PlanError) {
    let start = position
    if byte == UInt8(ascii: "}"), lastCommaEnds { throw trailingComma() }
    guard byte == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
    try string()
    let name = Array(bytes[start..<position])
    if let last = open.indices.last, !open[last].keys.insert(name).inserted {
      throw repeated(name, at: start)
    }
    expectation = .colon
  }

  private mutating func next(_ byte: UInt8) throws(PlanError) {
    guard let container = open.last else { throw trailing() }
    if byte == container.closing { return close() }
    guard byte == UInt8(ascii: ",") else {
      throw unexpected("a comma or \"\(Character(UnicodeScalar(container.closing)))\"")
    }
    lastComma = position
    position += 1
    expectation = container.isObject ? .key : .value
  }

  private mutating func close() {
    open.removeLast()
    position += 1
    expectation = open.isEmpty ? .end : .next
  }

  /// Whether only white space lies between the last comma and the current position.
  private var lastCommaEnds: Bool {
    guard lastComma > 0 else { return false }
    return bytes[(lastComma + 1)..<max(position, lastComma + 1)].allSatisfy { $0 <= 0x20 }
  }
}

extension JSONSyntax {
  fileprivate func unfinished() -> PlanError {
    guard let container = open.last else {
      return PlanError(
        .syntax, "there is nothing here", path: place(position),
        fix: "Write a JSON object: { \"schema\": 1, \"model\": …, \"workload\": { … } }.")
    }
    let start = place(container.start)
    return PlanError(
      .syntax, "the text ends inside the \(container.name) that starts at \(start)",
      path: place(position),
      fix: "Write the rest, and close it with \"\(Character(UnicodeScalar(container.closing)))\".")
  }

  fileprivate func trailing() -> PlanError {
    PlanError(
      .syntax, "\(found(position)) follows after the end of the JSON value", path: place(position),
      fix: "Remove it; several values go into one list: [ … , … ].")
  }

  fileprivate func trailingComma() -> PlanError {
    PlanError(
      .syntax, "nothing follows this comma", path: place(lastComma), fix: "Remove the comma.")
  }

  fileprivate func tooDeep() -> PlanError {
    PlanError(
      .syntax, "lists and objects lie more than \(Self.deepest) levels deep", path: place(position),
      fix: "Write a flatter document: a scenario has four levels.")
  }

  fileprivate func repeated(_ name: [UInt8], at start: Int) -> PlanError {
    let shown = String(decoding: name.prefix(80), as: UTF8.self)
    return PlanError(
      .syntax, "the key \(shown) stands twice in one object", path: place(start),
      fix: "Remove one of the two.")
  }
}

import Testing

@testable import Planner

@Suite("Reading JSON text") struct JSONReaderTests {
  /// Text that is not JSON, where the mistake is, and what is said of it.
  struct Mistake: Sendable, CustomTestStringConvertible {
    var testDescription: String { "\(text.prefix(40))" }
    let text: String
    let place: String
    let message: String
    let fix: String
  }

  static let mistakes = [
    Mistake(
      text: "", place: "line 1, column 1", message: "there is nothing here",
      fix: "Write a JSON object: { \"schema\": 1, \"model\": …, \"workload\": { … } }."),
    Mistake(
      text: " \n ", place: "line 2, column 2", message: "there is nothing here",
      fix: "Write a JSON object: { \"schema\": 1, \"model\": …, \"workload\": { … } }."),
    Mistake(
      text: "{\n  \"model\": {\n    \"a\": 1", place: "line 3, column 11",
      message: "the text ends inside the object that starts at line 2, column 12",
      fix: "Write the rest, and close it with \"}\"."),
    Mistake(
      text: "[1, 2", place: "line 1, column 6",
      message: "the text ends inside the list that starts at line 1, column 1",
      fix: "Write the rest, and close it with \"]\"."),
    Mistake(
      text: "{\"name\": \"Llama", place: "line 1, column 16",
      message: "the text ends inside the quotes that open at line 1, column 10",
      fix: "Write the rest, and close the quotes."),
    Mistake(
      text: "{\"a\": 1,\n}", place: "line 1, column 8", message: "nothing follows this comma",
      fix: "Remove the comma."),
    Mistake(
      text: "[1,2, ]", place: "line 1, column 5", message: "nothing follows this comma",
      fix: "Remove the comma."),
    Mistake(
      text: "[,1]", place: "line 1, column 2", message: "expected a value, found \",\"",
      fix: "Write text in double quotes, a number, true, false, null, [ … ] or { … }."),
    Mistake(
      text: "nope", place: "line 1, column 1", message: "expected a value, found \"nope\"",
      fix: "Write text in double quotes, a number, true, false, null, [ … ] or { … }."),
    Mistake(
      text: "{\"a\": True}", place: "line 1, column 7", message: "expected a value, found \"True\"",
      fix: "Write text in double quotes, a number, true, false, null, [ … ] or { … }."),
    Mistake(
      text: "{'a': 1}", place: "line 1, column 2",
      message: "expected a key in double quotes, found \"'\"", fix: "Use double quotes."),
    Mistake(
      text: "{model: 1}", place: "line 1, column 2",
      message: "expected a key in double quotes, found \"model\"",
      fix: "Write the key in double quotes."),
    Mistake(
      text: "{\"a\" 1}", place: "line 1, column 6",
      message: "expected a colon after the key, found \"1\"",
      fix: "Write a colon after the key here."),
    Mistake(
      text: "{\"ä\": 1 \"b\": 2}", place: "line 1, column 9",
      message: "expected a comma or \"}\", found text in quotes",
      fix: "Write a comma or \"}\" here."),
    Mistake(
      text: "[1}", place: "line 1, column 3", message: "expected a comma or \"]\", found \"}\"",
      fix: "Write a comma or \"]\" here."),
    Mistake(
      text: "// a comment\n{}", place: "line 1, column 1", message: "expected a value, found \"/\"",
      fix: "Remove the comment: JSON has none."),
    Mistake(
      text: "{}\n{}", place: "line 2, column 1",
      message: "\"{\" follows after the end of the JSON value",
      fix: "Remove it; several values go into one list: [ … , … ]."),
    Mistake(
      text: "[01]", place: "line 1, column 2",
      message: "\"01\" is not written as JSON writes numbers",
      fix: "Write digits on both sides of a point, and no zero in front: 10, 0.5 or 1e6."),
    Mistake(
      text: "[1.]", place: "line 1, column 2",
      message: "\"1.\" is not written as JSON writes numbers",
      fix: "Write digits on both sides of a point, and no zero in front: 10, 0.5 or 1e6."),
    Mistake(
      text: "{\"a\": -}", place: "line 1, column 7",
      message: "\"-\" is not written as JSON writes numbers",
      fix: "Write digits on both sides of a point, and no zero in front: 10, 0.5 or 1e6."),
    Mistake(
      text: "[1e400]", place: "line 1, column 2", message: "1e400 is beyond what a number can hold",
      fix: "Use a number below 1.8e308."),
    Mistake(
      text: "[\"a\nb\"]", place: "line 1, column 4", message: "a line break inside text in quotes",
      fix: "Close the quotes before it, or write it as \\n, \\t or \\u00XX."),
    Mistake(
      text: "[\"\\x\"]", place: "line 1, column 3", message: "an unknown escape after a backslash",
      fix: "Use \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t or \\u with four hexadecimal digits."),
    Mistake(
      text: "[\"\\ud800\"]", place: "line 1, column 3",
      message: "half of a character: a surrogate without its partner",
      fix: "Write the character itself, or both halves: \\uD83D\\uDE00."),
    Mistake(
      text: "[\"\\udc00\\ud800\"]", place: "line 1, column 3",
      message: "half of a character: a surrogate without its partner",
      fix: "Write the character itself, or both halves: \\uD83D\\uDE00."),
    Mistake(
      text: "{\"a\": 1, \"b\": 2, \"a\": 3}", place: "line 1, column 18",
      message: "the key \"a\" stands twice in one object", fix: "Remove one of the two."),
  ]

  @Test("says where a mistake is and what belongs there", arguments: mistakes)
  func mistake(_ mistake: Mistake) {
    let expected = PlanError(
      .syntax, mistake.message, path: mistake.place, fix: mistake.fix)
    #expect(throws: expected) { try JSONReader.read(mistake.text) }
  }

  @Test("names bytes that are not UTF-8")
  func invalidBytes() {
    let fix = "Save the file as UTF-8."
    let inText = PlanError(
      .syntax, "the byte 0xFF, which is not UTF-8, inside text in quotes",
      path: "line 1, column 3", fix: fix)
    #expect(throws: inText) { try JSONReader.read([0x5B, 0x22, 0xFF, 0x22, 0x5D]) }
    let utf16 = PlanError(
      .syntax, "expected a value, found the byte 0xFF, which is not UTF-8",
      path: "line 1, column 1", fix: fix)
    #expect(throws: utf16) { try JSONReader.read([0xFF, 0xFE, 0x5B, 0, 0x5D, 0]) }
    let more: [[UInt8]] = [
      [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2],
    ]
    for bytes in more {
      #expect(throws: PlanError.self) { try JSONReader.read(bytes) }
    }
  }

  @Test("goes 64 levels deep and no deeper")
  func nesting() throws {
    let list = { (depth: Int) in
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try JSONReader.read(list(64))
    let expected = PlanError(
      .syntax, "lists and objects lie more than 64 levels deep", path: "line 1, column 65",
      fix: "Write a flatter document: a scenario has four levels.")
    #expect(throws: expected) { try JSONReader.read(list(65)) }
    #expect(throws: expected) { try JSONReader.read(String(repeating: "[", count: 1_000_000)) }
  }

  @Test("reads values of every kind")
  func values() throws {
    let text =
      "\u{FEFF}{\"z\": [1, 2.5, true, null, -0.0, []], "
      + "\"a\": {\"k\": \"\\u00e4 \\ud83d\\ude00\\n\"}}"
    let expected: JSONValue = ["a": ["k": "ä 😀\n"], "z": [1, 2.5, true, nil, 0, []]]
    #expect(try JSONReader.read(text) == expected)
  }

  @Test("reads whole numbers exactly, and larger ones as the nearest number")
  func integers() throws {
    #expect(try JSONReader.read("9223372036854775807") == .integer(.max))
    #expect(try JSONReader.read("-9223372036854775808") == .integer(.min))
    #expect(try JSONReader.read("9223372036854775808") == .number(9_223_372_036_854_775_808))
    #expect(try JSONReader.read("1e3") == .integer(1000))
    #expect(try JSONReader.read("16.0") == .integer(16))
  }

  @Test("survives any bytes and any cut")
  func survives() throws {
    let text = Array("{\"a\": [1.5e3, \"\\ud83d\\ude00é\", true, null], \"b\": {\"c\": -0.1}}".utf8)
    _ = try JSONReader.read(text)
    for length in text.indices {
      #expect(throws: PlanError.self) { try JSONReader.read(Array(text.prefix(length))) }
    }
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      var bytes = text
      for _ in 0..<3 {
        let place = Int.random(in: bytes.indices, using: &random)
        bytes[place] = UInt8.random(in: 0...255, using: &random)
      }
      do {
        _ = try JSONReader.read(bytes)
      } catch {
        #expect(error.kind == .syntax && error.path.hasPrefix("line ") && !error.fix.isEmpty)
      }
    }
  }
}

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

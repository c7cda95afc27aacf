import Testing

@testable import Planner

@Suite("Writing JSON text") struct JSONWriterTests {
  @Test("indents by two spaces and keeps the order of members")
  func layout() {
    let value: JSONValue = ["b": [1, [], ["x": nil]], "a": [:], "c": true]
    let expected = """
      {
        "b": [
          1,
          [],
          {
            "x": null
          }
        ],
        "a": {},
        "c": true
      }
      """
    #expect(JSONWriter.text(value) == expected)
  }

  @Test("writes numbers so that they read back, and null for what is no number")
  func numbers() {
    #expect(JSONWriter.text(.integer(.max)) == "9223372036854775807")
    #expect(JSONWriter.text(.number(0.1)) == "0.1")
    #expect(JSONWriter.text(.number(1e-7)) == "1e-07")
    #expect(JSONWriter.text(.number(.infinity)) == "null")
    #expect(JSONWriter.text(.number(.nan)) == "null")
  }

  @Test("escapes what text in quotes may not hold")
  func escapes() {
    #expect(JSONWriter.text("a\"b\\c\n\t\u{1}/é😀") == #""a\"b\\c\n\t\u0001/é😀""#)
    #expect(JSONWriter.text("\r\n") == #""\r\n""#)
  }

  @Test("is read back as it was")
  func roundTrip() throws {
    let value: JSONValue = [
      "a": ["\u{0}\u{1F}\u{7F}\"\\ü", 1e300, -1.5e-9, .integer(.min)], "b": ["c": [nil, false]],
    ]
    #expect(try JSONReader.read(JSONWriter.text(value)) == value)
  }
}

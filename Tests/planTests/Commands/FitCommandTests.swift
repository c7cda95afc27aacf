import Planner
import Testing

@testable import plan

@Suite("plan fit") struct FitCommandTests {
  @Test("puts a refused scenario of a list in its place, by name or by number")
  func refusedInList() throws {
    let list = #"[{"name": "a", "modle": 1}, 5]"#
    let answer = FakeWorld.run("fit", "-", "--format", "json", input: list)
    let expected: JSONValue = [
      [
        "error": [
          "fix": "Did you mean \"model\"?", "message": "unknown key \"modle\"", "path": "modle",
        ], "name": "a",
      ],
      [
        "error": [
          "fix": "Write an object in braces: { … }.",
          "message": "expected an object here, found a number", "path": "",
        ], "name": "scenario 2",
      ],
    ]
    #expect(try JSONReader.read(answer.output) == expected)
    #expect(answer.exitCode == .wrongInput && answer.errors.isEmpty)
  }

  @Test("writes the same in text, parted by an empty line")
  func refusedText() {
    let answer = FakeWorld.run("fit", "-", input: #"[{"name": "a", "modle": 1}, 5]"#)
    let expected = """
      REFUSED  a
        modle: unknown key "modle"
        Did you mean "model"?

      REFUSED  scenario 2
        expected an object here, found a number
        Write an object in braces: { … }.

      """
    #expect(answer == .init(exitCode: .wrongInput, output: expected))
  }

  @Test("gives an empty list for an empty list")
  func emptyList() {
    let answer = FakeWorld.run("fit", "-", "--format=json", input: "[]")
    #expect(answer == .init(exitCode: .answered, output: "[]\n"))
  }
}

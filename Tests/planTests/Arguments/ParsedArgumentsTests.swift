import Planner
import Testing

@testable import plan

@Suite("Options") struct ParsedArgumentsTests {
  static let size = Option(name: "size", value: "N", help: "")
  static let loud = Option(name: "loud", help: "")
  static let shape = Option(name: "shape", value: "S", help: "", choices: ["round", "square"])

  static func parse(_ words: String...) throws(PlanError) -> ParsedArguments {
    try ParsedArguments(words, options: [size, loud, shape])
  }

  @Test("are read with a blank or an equals sign, anywhere among the other words")
  func forms() throws {
    let arguments = try Self.parse("a", "--size", "3", "--shape=round", "-", "--loud", "b")
    #expect(arguments.operands == ["a", "-", "b"])
    #expect(arguments[Self.size] == "3" && arguments[Self.shape] == "round")
    #expect(arguments[Self.loud] != nil)
    #expect(try Self.parse("--size=a=b")[Self.size] == "a=b")
    #expect(try Self.parse("--size", "-1")[Self.size] == "-1")
    #expect(try Self.parse()[Self.size] == nil)
  }

  @Test("end at two dashes")
  func end() throws {
    let arguments = try Self.parse("--size", "1", "--", "--loud", "-x")
    #expect(arguments.operands == ["--loud", "-x"] && arguments[Self.loud] == nil)
  }

  static let mistakes: [([String], PlanError)] = [
    (
      ["--sizes", "1"],
      PlanError(
        .unknown, "there is no option \"--sizes\"",
        fix: "Did you mean \"--size\"? \"--help\" lists them all.")
    ),
    (
      ["-s"],
      PlanError(
        .unknown, "there is no option \"-s\"",
        fix: "Use one of: --size, --loud, --shape. \"--help\" lists them all.")
    ),
    (
      ["--size", "1", "--size=1"],
      PlanError(.conflict, "--size stands twice", fix: "Remove one of the two.")
    ),
    (["--size"], PlanError(.invalid, "--size needs a value", fix: "Write --size N.")),
    (["--size", "--loud"], PlanError(.invalid, "--size needs a value", fix: "Write --size N.")),
    (["--size="], PlanError(.invalid, "--size needs a value", fix: "Write --size N.")),
    (["--loud=yes"], PlanError(.invalid, "--loud takes no value", fix: "Write --loud alone.")),
    (
      ["--shape", "rond"],
      PlanError(
        .unknown, "there is no choice \"rond\"", path: "--shape", fix: "Did you mean \"round\"?")
    ),
  ]

  @Test("are refused with what to type instead", arguments: mistakes)
  func mistake(words: [String], error: PlanError) {
    #expect(throws: error) {
      try ParsedArguments(words, options: [Self.size, Self.loud, Self.shape])
    }
  }
}

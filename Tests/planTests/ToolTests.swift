import Planner
import Testing

@testable import plan

@Suite("The tool") struct ToolTests {
  @Test("shows a short help and says that something is missing when given no words")
  func noWords() {
    let answer = FakeWorld.run()
    #expect(answer.exitCode == .wrongInput && answer.errors.isEmpty)
    #expect(answer.output == FakeWorld.run("help").output)
  }

  @Test("gives the same help by every way of asking", arguments: Commands.all.map { $0.name })
  func waysOfHelp(command: String) {
    let long = FakeWorld.run(command, "--help")
    #expect(long.exitCode == .answered && long.errors.isEmpty)
    #expect(long.output.hasPrefix("plan \(command) - "))
    #expect(long == FakeWorld.run(command, "-h"))
    #expect(long == FakeWorld.run("help", command))
    #expect(long == FakeWorld.run(command, "--format", "json", "--nonsense", "--help"))
  }

  @Test("prints its version")
  func version() {
    #expect(FakeWorld.run("--version") == .init(exitCode: .answered, output: "plan 0.1.0\n"))
  }

  @Test("keeps every page of help within 80 columns and one screen")
  func helpFits() {
    let pages =
      [HelpPage.short] + Commands.all.map { HelpPage.text(of: $0) } + HelpTopic.all.map(\.text)
    for page in pages {
      let lines = page.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.allSatisfy { $0.count <= 80 && $0.last != " " })
      #expect(lines.count <= 45)
    }
  }

  @Test("keeps its help as it was looked at", arguments: Commands.all.map { $0.name })
  func commandGoldens(command: String) throws {
    try Goldens.expect(FakeWorld.run("help", command).output, as: "help-\(command)")
  }

  @Test("keeps its topics as they were looked at", arguments: HelpTopic.all.map(\.name))
  func topicGoldens(topic: String) throws {
    try Goldens.expect(FakeWorld.run("help", topic).output, as: "help-\(topic)")
  }

  @Test("keeps its short help as it was looked at")
  func shortGolden() throws {
    try Goldens.expect(HelpPage.short, as: "help-short")
  }

  /// Words, and what is said on standard error.
  static let mistakes: [([String], String)] = [
    (
      ["fti"],
      "error: there is no command \"fti\"\n  fix: Did you mean \"fit\"? \"plan help\" lists them all.\n"
    ),
    (
      ["--format", "json", "fit"],
      "error: an option before the command: \"--format\"\n"
        + "  fix: Write the command first: plan fit …; \"plan help\" lists the commands.\n"
    ),
    (
      ["help", "exitcodes"],
      "error: there is no command or topic \"exitcodes\"\n"
        + "  fix: Did you mean \"exit-codes\"? \"plan help\" lists them all.\n"
    ),
    (
      ["fit"],
      "error: no scenario\n"
        + "  fix: Name a file, \"-\" for standard input, or --model with the options; see --help.\n"
    ),
    (
      ["fit", "a.json", "b.json"],
      "error: \"b.json\" is one word too many\n  fix: Write: plan fit SCENARIO.json [options].\n"
    ),
    (["benchmark", "now"], "error: \"now\" is one word too many\n  fix: Write: plan benchmark.\n"),
    (
      ["show"],
      "error: nothing to show\n"
        + "  fix: Name a list (models, devices, strategies, optimizers, scenario), or an entry of one.\n"
    ),
    (
      ["show", "modles"],
      "error: there is no list or entry \"modles\"\n"
        + "  fix: Did you mean \"models\"? \"plan help show\" lists them all.\n"
    ),
    (
      ["fit", "gone.json"],
      "error: gone.json: there is no such file\n  fix: Check the path.\n"
    ),
    (
      ["compare", "list.json"],
      "error: list.json: a list of scenarios, and this command takes one\n"
        + "  fix: Name a file with one scenario; \"plan fit\" takes lists.\n"
    ),
  ]

  @Test("says what is wrong and what to type, on standard error alone", arguments: mistakes)
  func mistake(words: [String], errors: String) {
    let answer = Tool.run(FakeWorld.invocation(words, files: ["list.json": "[]"]))
    #expect(answer == .init(exitCode: .wrongInput, errors: errors))
  }

  @Test("has an exit code of its own for its own defects")
  func defects() {
    #expect(ExitCode(PlanError(.defect, "x", fix: "")) == .defect)
    #expect(ExitCode(PlanError(.overflow, "x", fix: "")) == .wrongInput)
    #expect(ExitCode.defect.rawValue == 70)
  }
}

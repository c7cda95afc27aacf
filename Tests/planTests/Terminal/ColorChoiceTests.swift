import Testing

@testable import plan

@Suite("Colour") struct ColorChoiceTests {
  @Test("is for terminals that do not refuse it, unless the user says otherwise")
  func table() {
    let pipe = Invocation.Stream()
    let terminal = Invocation.Stream(isTerminal: true)
    let refusing = Invocation.Stream(isTerminal: true, refusesColor: true)
    #expect([pipe, terminal, refusing].map(ColorChoice.auto.isColored) == [false, true, false])
    #expect([pipe, terminal, refusing].map(ColorChoice.always.isColored) == [true, true, true])
    #expect([pipe, terminal, refusing].map(ColorChoice.never.isColored) == [false, false, false])
  }

  @Test("reaches what the tool writes")
  func reaches() {
    var invocation = FakeWorld.invocation(["fit", "-", "--color", "always"], input: "[5]")
    #expect(Tool.run(invocation).output.hasPrefix("\u{1B}[1;31mREFUSED"))
    invocation.arguments = ["fit"]
    #expect(Tool.run(invocation).errors.hasPrefix("error:"))
    invocation.errors = .init(isTerminal: true)
    #expect(Tool.run(invocation).errors.hasPrefix("\u{1B}[1;31merror:"))
  }
}

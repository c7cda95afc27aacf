import Planner
import Testing

@testable import plan

@Suite("plan explain") struct ExplainCommandTests {
  @Test("says what a term means, within 80 columns", arguments: Glossary.terms.map(\.name))
  func terms(name: String) {
    let result = FakeWorld.run("explain", name)
    #expect(result.exitCode == .answered && result.output.hasPrefix(name + "\n"))
    #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test("takes capitals, spaces and underscores, and names of techniques") func spellings() {
    let page = FakeWorld.run("explain", "micro-batch").output
    for spelling in ["Micro-Batch", "micro_batch", "micro batch"] {
      #expect(FakeWorld.run("explain", spelling).output == page)
    }
    #expect(FakeWorld.run("explain", "galore-adamw").exitCode == .answered)
  }

  @Test("lists all terms in alphabetical order") func list() {
    let lines = FakeWorld.run("explain").output.split(separator: "\n")
    #expect(lines.count == Glossary.terms.count)
    #expect(Glossary.terms.map(\.name) == Glossary.terms.map(\.name).sorted())
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test("names the nearest term for one that it does not know") func unknown() {
    let result = FakeWorld.run("explain", "reservd")
    #expect(result.exitCode != .answered && result.errors.contains("\"reserved\""))
  }
}

import Planner
import Testing

@testable import plan

@Suite("The commands that write files") struct SeeingCommandTests {
  private static let words = [
    "--model", "gpt2", "--device", "rtx-4090", "--micro-batch-size", "1", "--sequence-length",
    "128",
  ]

  /// Runs words, and gives what was written.
  private func run(_ words: [String], files: [String: String] = [:]) -> (
    answer: Tool.Answer, written: [String: [UInt8]]
  ) {
    var written: [String: [UInt8]] = [:]
    var invocation = FakeWorld.invocation(words, files: files)
    invocation.writeFile = { (path, bytes) throws(PlanError) in written[path] = bytes }
    return (Tool.run(invocation), written)
  }

  @Test("trace writes a file, and says what is in it") func trace() {
    let chrome = run(["trace", "-o", "t.json"] + Self.words)
    #expect(chrome.answer.exitCode == .answered)
    #expect(chrome.answer.output.hasPrefix("t.json: "))
    #expect(chrome.written["t.json"]?.first == UInt8(ascii: "{"))
    let text = run(["trace"] + Self.words)
    #expect(Array(text.answer.output.utf8) == chrome.written["t.json"])
    let snapshot = run(["trace", "--format", "snapshot", "--output=s.pickle"] + Self.words)
    #expect(snapshot.written["s.pickle"]?.prefix(2) == [0x80, 4])
    let fewer = run(["trace", "--layers", "2", "-o", "t.json"] + Self.words)
    #expect(fewer.answer.output.contains("2 of 12 layers"))
  }

  @Test("trace refuses what it cannot write") func refusals() {
    #expect(run(["trace", "--format", "snapshot"] + Self.words).answer.exitCode == .wrongInput)
    for layers in ["0", "-1", "x", "99999999999999999999"] {
      #expect(run(["trace", "--layers=\(layers)"] + Self.words).answer.exitCode == .wrongInput)
    }
  }

  @Test("report writes the page that fit prints") func report() {
    let page = run(["report", "-o", "r.html"] + Self.words)
    #expect(page.answer == .init(exitCode: .answered, output: "r.html: fits\n"))
    let printed = run(["fit", "--format", "html"] + Self.words)
    #expect(page.written["r.html"] == Array(printed.answer.output.utf8))
  }

  @Test("check reads sizes and statistics, and its exit code says whether they agree") func check()
  {
    let near = run(["check", "--measured", "1.66GiB", "--quantity", "allocated"] + Self.words)
    #expect(near.answer.exitCode.rawValue < 2)
    let far = run(["check", "--measured", "10GiB", "--quantity", "live"] + Self.words)
    #expect(far.answer.exitCode == .doesNotFit && far.answer.output.hasPrefix("DIFFERS"))
    let stats = ["s.json": #"{ "allocated_bytes.all.peak": 1, "reserved_bytes.all.peak": 2 }"#]
    let file = run(
      ["check", "--measured", "s.json", "--format", "json"] + Self.words, files: stats)
    #expect(file.answer.exitCode == .doesNotFit)
    #expect(file.answer.output.contains("\"reserved_bytes\": 2"))
    for wrong in [
      ["check"], ["check", "--measured", "12"], ["check", "--measured", "soon"],
      ["check", "--measured", "gone.json"],
    ] {
      #expect(run(wrong + ["--quantity", "live"] + Self.words).answer.exitCode.rawValue != 70)
    }
    let empty = run(["check", "--measured", "e.json"] + Self.words, files: ["e.json": "{}"])
    #expect(empty.answer.errors.contains("memory_stats"))
  }
}

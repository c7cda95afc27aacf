import Planner
import Testing

@testable import plan

@Suite("The commands that write files") struct SeeingCommandTests {
  private static let words = [
    "--model", "gpt2", "--device", "rtx-4090", "--micro-batch-size", "1", "--sequence-length",
    "128",
  ]

  private let tiny =
    #"{ "workload": { "micro_batch_size": 1, "sequence_length": 64 }, "model": {"#
    + #" "model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 2, "vocab_size": 500 } }"#

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

  @Test("report writes a page, and the same in Markdown where the file's name says so")
  func report() throws {
    let page = run(["report", "t.json", "-o", "r.html"], files: ["t.json": tiny])
    #expect(page.answer == .init(exitCode: .answered, output: "r.html: fits\n"))
    let html = String(decoding: try #require(page.written["r.html"]), as: UTF8.self)
    let markdown = run(["report", "t.json", "-o", "r.md"], files: ["t.json": tiny])
    let text = String(decoding: try #require(markdown.written["r.md"]), as: UTF8.self)
    #expect(html.hasPrefix("<!DOCTYPE html>") && text.hasPrefix("# "))
    for heading in [
      "The question", "Recommendation", "Alternatives considered", "Memory over the step",
      "What the peak is made of", "Where it stops fitting", "Taken for granted",
      "What is not modelled", "The scenario",
    ] {
      #expect(html.contains("<h2>\(heading)</h2>"), "\(heading)")
      #expect(text.contains("\n## \(heading)\n"), "\(heading)")
    }
    for forbidden in ["<script", "http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(
      run(["report", "t.json", "-o", "r.html"], files: ["t.json": tiny]).written == page.written)
  }

  @Test("devices sorts by what is asked, and takes a price list") func devices() {
    let list = #"{ "devices": { "t4": { "price": 1, "rental_per_hour": 0.0001 } } }"#
    let words = ["devices", "--sort", "cost", "--prices", "p.json", "--format", "json"]
    let answer = run(
      words + Array(Self.words[..<2]) + Array(Self.words[4...]), files: ["p.json": list])
    #expect(answer.answer.exitCode == .answered, "\(answer.answer.errors)")
    let first = answer.answer.output.firstRange(of: "\"device\": \"t4\"")
    let second = answer.answer.output.firstRange(of: "\"device\": \"rtx-4090\"")
    #expect(first != nil && second != nil)
    if let first, let second { #expect(first.lowerBound < second.lowerBound) }
    #expect(answer.answer.output.contains("SynapseAI"))
    let wrong = run(words + Self.words[..<2], files: ["p.json": "{}"])
    #expect(wrong.answer.exitCode == .wrongInput && wrong.answer.errors.contains("p.json"))
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

  @Test("report takes the format from the file's name, and refuses names of others") func endings()
  {
    for (file, start) in [
      ("r.html", "<!DOCTYPE"), ("r.HTM", "<!DOCTYPE"), ("out", "<!DOCTYPE"), ("r.md", "# "),
      ("r.json", "{"), ("a.b/r", "<!DOCTYPE"),
    ] {
      let page = run(["report", "t.json", "-o", file], files: ["t.json": tiny])
      #expect(String(decoding: page.written[file] ?? [], as: UTF8.self).hasPrefix(start), "\(file)")
    }
    let page = run(["report", "t.json", "-o", "r.pdf"], files: ["t.json": tiny])
    #expect(page.answer.exitCode == .wrongInput && page.written.isEmpty)
    #expect(
      page.answer.errors
        == "error: --output: a report is no \".pdf\"\n"
        + "  fix: Name it report.html or report.md, or say --format.\n")
    let forced = run(
      ["report", "t.json", "-o", "r.pdf", "--format", "html"], files: ["t.json": tiny])
    #expect(forced.answer.exitCode.rawValue < 2)
  }

  @Test("devices keeps to 80 columns and cuts no name of a device") func width() {
    let table = run(["devices", "t.json"], files: ["t.json": tiny]).answer.output
    #expect(table.split(separator: "\n").allSatisfy { $0.count <= 80 } && !table.contains("…"))
    for device in DeviceCatalog.all { #expect(table.contains("\n  \(device.id)")) }
  }

  @Test("check says of a figure far off that it is, in its own column") func far() {
    let far = run(["check", "--measured", "3", "--quantity", "live"] + Self.words)
    let line = far.answer.output.split(separator: "\n").first { $0.hasPrefix("  live") }
    #expect(line?.hasSuffix("3 B  over +1,000 %") == true, "\(far.answer.output)")
  }
}

import Testing

@testable import Planner

@Suite("A report as HTML") struct HTMLReportTests {
  private func page(_ name: String = "a run", batch: Int = 1) throws -> String {
    let written: JSONValue = [
      "schema": 1, "name": .string(name), "model": "llama-2-7b",
      "workload": ["micro_batch_size": .integer(batch), "sequence_length": 512],
      "hardware": ["device": "rtx-4090"],
      "strategies": [
        "lora": ["rank": 8, "target_modules": ["q_proj"]], "checkpointing": ["policy": "full"],
      ],
    ]
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(written)
    let document = try ReportDocument(scenario, written: written)
    return HTMLRenderer.render(document, style: TextStyle())
  }

  /// Every element that is opened is closed, in order; elements without content stand alone.
  private func isBalanced(_ html: String) -> Bool {
    var open: [Substring] = []
    for part in html.split(separator: "<").dropFirst() {
      let name = part.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber }
      let tag = part.prefix { $0 != ">" }
      if name.isEmpty || ["meta", "DOCTYPE"].contains(name) || tag.hasSuffix("/") { continue }
      if part.hasPrefix("/") {
        guard open.popLast() == name else { return false }
      } else {
        open.append(name)
      }
    }
    return open.isEmpty
  }

  @Test("is one file without scripts and without anything from a network") func alone() throws {
    let html = try page()
    #expect(html.hasPrefix("<!DOCTYPE html>"))
    for forbidden in ["<script", "http:", "https:", "src=", "url(", "@import", "<link"] {
      #expect(!html.contains(forbidden), "\(forbidden)")
    }
    #expect(isBalanced(html))
    #expect(html.utf8.count < 100_000)
  }

  @Test("is the same on every run") func deterministic() throws {
    #expect(try page() == page())
  }

  @Test("has the verdict, the chart, the ladder, the sources and the scenario") func sections()
    throws
  {
    let html = try page()
    for text in [
      ">Fits<", "<svg", "class=\"line peak\"", "class=\"line capacity\"",
      "What the peak is made of",
      "Technique by technique", "Taken for granted", "CUDACachingAllocator.cpp",
      "&quot;sequence_length&quot;: 512",
    ] { #expect(html.contains(text), "\(text)") }
    #expect(!html.contains("What would make it fit"))
  }

  @Test("says what would make it fit") func remedies() throws {
    let html = try page(batch: 256)
    #expect(html.contains(">Does not fit<") && html.contains("What would make it fit"))
    #expect(isBalanced(html))
  }

  @Test("shows text as text") func escaping() throws {
    let html = try page("<script>alert('1')</script> & \"more\"\u{1B}[31m")
    #expect(!html.contains("<script") && !html.contains("\u{1B}"))
    #expect(html.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"))
    #expect(isBalanced(html))
  }
}

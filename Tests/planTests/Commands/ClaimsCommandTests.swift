import Foundation
import Testing

@testable import Planner
@testable import plan

@Suite("Claims of articles") struct ClaimsCommandTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Scenarios")

  private static let articles = [
    "000_8d5fce7ba2454541.txt", "001_2c859e22fbdafb24.txt", "002_67234eb92e6ac2f1.txt",
    "003_fb6f0a24b40db443.txt", "004_1d5b250ef051930a.txt",
  ]

  /// Every file with a claim, by name.
  private func files() throws -> [(name: String, text: String)] {
    let folder = Self.folder.appending(path: "claims")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      ($0, String(decoding: try Data(contentsOf: folder.appending(path: $0)), as: UTF8.self))
    }
  }

  @Test("name their article and say what is claimed") func complete() throws {
    let files = try files()
    var articles: Set<String> = []
    for (name, text) in files {
      let claim = try JSONReader.read(text)["claim"]
      guard case .string(let source)? = claim?["source"], case .string(let said)? = claim?["text"]
      else {
        Issue.record("\(name) says no source or no text")
        continue
      }
      articles.insert(source)
      #expect(name.hasPrefix(source.prefix(3)) && said.hasSuffix("."), "\(name)")
      #expect(claim?["figures"] != nil || claim?["verdict"] != nil, "\(name)")
    }
    #expect(articles == Set(Self.articles) && files.count >= 30)
  }

  /// `PLAN_RECORD_GOLDENS=1 swift test --filter ClaimsCommandTests` writes it anew.
  @Test("stand in the README as plan finds them today") func table() throws {
    let files = try files()
    var invocation = FakeWorld.invocation(["claims"] + files.map(\.name))
    invocation.readFile = { (path) throws(PlanError) in
      Array((files.first { $0.name == path }?.text ?? "").utf8)
    }
    let answer = Tool.run(invocation)
    #expect(answer.exitCode == .answered, "\(answer.errors)")
    let readme = Self.folder.appending(path: "README.md")
    let text = String(decoding: try Data(contentsOf: readme), as: UTF8.self)
    let (start, end) = ("<!-- claims -->\n", "<!-- /claims -->")
    let opening = try #require(text.firstRange(of: start))
    let closing = try #require(text.firstRange(of: end))
    let shown = String(text[opening.upperBound..<closing.lowerBound])
    if ProcessInfo.processInfo.environment["PLAN_RECORD_GOLDENS"] == "1" {
      let new = text[..<opening.upperBound] + answer.output + text[closing.lowerBound...]
      try Data(new.utf8).write(to: readme)
      Issue.record("recorded the claims")
      return
    }
    #expect(shown == answer.output)
  }

  private func verdict(_ claim: String) throws -> ClaimCheck {
    let text = """
      { "model": "gpt2", "workload": { "micro_batch_size": 1, "sequence_length": 128 },
        "run": { "steps": 24, "step_seconds": 3600 },
        "hardware": { "device": "rtx-4090", "rental_per_hour": 2 }, "claim": \(claim) }
      """
    let reader = ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }
    return try ClaimCheck(try JSONReader.read(text)) { (value) throws(PlanError) in
      try reader.read(value)
    }
  }

  @Test("are right, wrong or partly right by the figures that decide") func verdicts() throws {
    // 24 hours at 2 USD are 48 USD.
    let right = #"{ "quantity": "rented", "claimed": 50 }"#
    let wrong = #"{ "quantity": "rented", "claimed": [null, 40] }"#
    let aside = #"{ "quantity": "rented", "claimed": 1, "decides": false }"#
    #expect(try verdict("{ \"figures\": [\(right), \(aside)] }").verdict == .right)
    #expect(try verdict("{ \"figures\": [\(wrong), \(aside)] }").verdict == .wrong)
    #expect(try verdict("{ \"figures\": [\(right), \(wrong)] }").verdict == .partly)
    #expect(try verdict("{ \"figures\": [\(aside)] }").verdict == .open)
    let twice = """
      { "figures": [ { "quantity": "rented", "claimed": 0.5, "compare": "reduction",
        "over": { "hardware": { "rental_per_hour": 4 } } } ] }
      """
    #expect(try verdict(twice).findings.map(\.found) == [0.5])
  }

  @Test("that cannot be read or planned give one error each") func refusals() throws {
    for wrong in [
      #"{ "figures": [ { "quantity": "rentd" } ] }"#, #"{ "figures": 3 }"#, #"{ "figure": [] }"#,
      #"{ "figures": [ { "quantity": "fits", "claimed": "yes" } ] }"#,
      #"{ "figures": [ { "quantity": "fits", "in": { "model": "gpt3" } } ] }"#,
    ] {
      #expect(throws: PlanError.self, "\(wrong)") { try verdict(wrong) }
    }
    let none = FakeWorld.run("claims", "a.json", files: ["a.json": "{}"])
    #expect(none.exitCode == .wrongInput && none.errors.contains("a.json"))
    #expect(FakeWorld.run("claims").exitCode == .wrongInput)
  }
}

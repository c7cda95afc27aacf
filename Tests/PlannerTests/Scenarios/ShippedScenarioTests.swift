import FoundationEssentials
import Testing

@testable import Planner

@Suite("Scenarios that ship") struct ShippedScenarioTests {
  private static let folder = "../../Scenarios/"

  static let expectations: [JSONValue] = {
    guard case .array(let rows)? = try? Fixtures.json(folder + "expectations.json") else {
      return []
    }
    return rows
  }()

  private func report(_ file: String) throws -> Report {
    let reader = ScenarioReader { (path) throws(PlanError) in
      do { return try Fixtures.json(Self.folder + path) } catch {
        throw PlanError(.unreadable, "\(error)", path: path, fix: "")
      }
    }
    return try Planner.plan(try reader.read(try Fixtures.json(Self.folder + file)))
  }

  @Test("give what their source says", arguments: expectations)
  func expectation(_ row: JSONValue) throws {
    guard case .string(let file)? = row["file"] else {
      Issue.record("a row without a file")
      return
    }
    let report = try report(file)
    #expect(row["expected"]?["fits"] == .bool(report.fits), "\(file)")
    if let parameters = row.integer("expected", "parameters") {
      #expect(report.parameters == parameters, "\(file)")
    }
    for phase in report.phases {
      if let live = row.integer("expected", "live_bytes", phase.phase.key) {
        #expect(phase.live.count == live, "\(file) \(phase.phase.key)")
      }
    }
  }

  @Test("are all listed with an expectation") func complete() throws {
    let folder = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    let files = try FileManager.default.contentsOfDirectory(atPath: "/" + folder + "/Scenarios")
      .filter { $0.hasSuffix(".json") && $0 != "expectations.json" }.sorted()
    let listed = Self.expectations.compactMap { row -> String? in
      if case .string(let file)? = row["file"] { file } else { nil }
    }
    #expect(files == listed.sorted())
    #expect(files.count >= 4)
  }
}

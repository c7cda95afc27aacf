import FoundationEssentials

@testable import Planner

/// Files that lie beside the tests.
enum Fixtures {
  /// A case of a reference file: a scenario and what PyTorch reports for it.
  struct Case: Sendable, CustomStringConvertible {
    let value: JSONValue
    var description: String { text("scenario", "name") }

    subscript(_ path: String...) -> JSONValue? {
      var value: JSONValue? = value
      for key in path { value = value?[key] }
      return value
    }

    private func text(_ path: String...) -> String {
      if case .string(let text)? = self["scenario"]?["name"] { text } else { "?" }
    }

    /// The scenario, read as the command reads it.
    var scenario: Scenario {
      get throws {
        try ScenarioReader { (path) throws(PlanError) in
          throw PlanError(.unreadable, "no file here", path: path, fix: "")
        }.read(value["scenario"] ?? .null)
      }
    }
  }

  /// The cases of `Reference/Fixtures/<name>.json`.
  static func cases(_ name: String) -> [Case] {
    guard let value = try? json("Reference/Fixtures/\(name).json"), case .array(let cases) = value
    else { return [] }
    return cases.map(Case.init(value:))
  }

  /// The runs of `Published/Fixtures/<name>.json`.
  static func published(_ name: String) -> [Case] {
    guard let value = try? json("Published/Fixtures/\(name).json"), case .array(let cases) = value
    else { return [] }
    return cases.map(Case.init(value:))
  }

  /// A file below this test target's folder.
  static func json(_ path: String) throws -> JSONValue {
    let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
    let data = try Data(contentsOf: URL(filePath: "/" + folder + "/" + path))
    return try JSONReader.read([UInt8](data))
  }
}

extension JSONValue {
  /// A whole number at a path of keys.
  func integer(_ path: String...) -> Int? {
    var value: JSONValue? = self
    for key in path { value = value?[key] }
    if case .integer(let number)? = value { return number }
    return nil
  }
}

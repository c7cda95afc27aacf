import FoundationEssentials
import Testing

@testable import Planner

@Suite("The source tree") struct LayerTests {
  /// The folders of `Sources/Planner`, lowest first: a file may name types of its own folder and of lower ones.
  static let order = [
    ["Units", "Errors"], ["Graph"],
    ["Scenario", "Simulation", "Models", "Hardware", "Optimizers", "Strategies", "Report", "Cost"],
    ["Search"], ["Rendering", "Interchange"],
  ]

  struct Source {
    var folder: String
    var name: String
    var text: String
  }

  static let sources: [Source] = {
    let root =
      "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/Sources/Planner"
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: root)) ?? []
    return paths.filter { $0.hasSuffix(".swift") && $0.contains("/") }.sorted().map { path in
      let text =
        FileManager.default.contents(atPath: root + "/" + path).map {
          String(decoding: $0, as: UTF8.self)
        } ?? ""
      return Source(folder: String(path.prefix { $0 != "/" }), name: path, text: text)
    }
  }()

  /// Types declared at the outermost level of a file.
  static func types(in text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").filter {
        !["public", "final", "indirect", "package"].contains($0)
      }
      guard line.first != " ", words.count > 1,
        ["struct", "enum", "class", "protocol", "actor"].contains(words[0])
      else { return nil }
      return String(words[1].prefix { $0.isLetter || $0.isNumber })
    }
  }

  @Test("has no file in a lower folder that names a type of a higher one") func direction() {
    func level(_ folder: String) -> Int? { Self.order.firstIndex { $0.contains(folder) } }
    var owner: [(type: String, level: Int)] = []
    for source in Self.sources {
      guard let level = level(source.folder) else {
        Issue.record("the folder \(source.folder) has no level")
        continue
      }
      for type in Self.types(in: source.text) { owner.append((type, level)) }
    }
    for source in Self.sources {
      guard let level = level(source.folder) else { continue }
      // Comments may point upwards.
      let code = source.text.split(separator: "\n").filter {
        !$0.drop { $0 == " " }.hasPrefix("//")
      }
      .joined(separator: "\n")
      let words = Set(code.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
      for (type, above) in owner where above > level && words.contains(type) {
        Issue.record("\(source.name) names \(type), which lies above it")
      }
    }
  }

  @Test("keeps every file to one idea: at most 400 lines") func size() {
    for source in Self.sources {
      #expect(source.text.split(separator: "\n").count <= 400, "\(source.name)")
    }
  }

  @Test("lists every family, strategy and optimizer that it has a file for") func registries() {
    func files(_ folder: String) -> [String] {
      Self.sources.filter { $0.name.hasPrefix(folder) }.map {
        String(($0.name.split(separator: "/").last ?? "").dropLast(6))
      }
    }
    let families = ModelFamilies.all.map { String(describing: $0) }
    #expect(families.sorted() == files("Models/Families/").sorted())
    let optimizers = Optimizers.all.map { String(describing: $0) }
    #expect(Set(optimizers).isSubset(of: files("Optimizers/")))
    let strategies = Strategies.all.map { String(describing: $0) }
    #expect(Set(strategies).isSubset(of: files("Strategies/")))
  }
}

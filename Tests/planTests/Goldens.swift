import Foundation
import Testing

/// Texts that were looked at once and have stayed the same since.
///
/// `PLAN_RECORD_GOLDENS=1 swift test` writes them anew and fails, so that no run records by accident.
enum Goldens {
  /// Compares `text` with the file of this name.
  static func expect(
    _ text: String, as name: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = folder.appending(path: "Goldens/\(name).txt")
    if ProcessInfo.processInfo.environment["PLAN_RECORD_GOLDENS"] == "1" {
      try Data(text.utf8).write(to: file)
      Issue.record("recorded \(name)", sourceLocation: sourceLocation)
      return
    }
    let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == golden, sourceLocation: sourceLocation)
  }
}

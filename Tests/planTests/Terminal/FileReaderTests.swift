import Foundation
import Planner
import Testing

@testable import plan

@Suite("Reading files") struct FileReaderTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test("gives the bytes of a file, and none of an empty one")
  func contents() throws {
    try withFolder { folder in
      let bytes = [UInt8](repeating: 7, count: 200_000)
      let file = folder.appending(path: "a").path
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      #expect(try FileReader.read(file) == bytes)
      try Data().write(to: URL(fileURLWithPath: file))
      #expect(try FileReader.read(file).isEmpty)
    }
  }

  @Test("says what is the matter with a path")
  func mistakes() throws {
    try withFolder { folder in
      let directory = PlanError(
        .unreadable, "this is a directory", path: folder.path,
        fix: "Name a file in it, such as scenario.json or config.json.")
      #expect(throws: directory) { try FileReader.read(folder.path) }
      let gone = folder.appending(path: "gone.json").path
      let missing = PlanError(
        .unreadable, "there is no such file", path: gone, fix: "Check the path.")
      #expect(throws: missing) { try FileReader.read(gone) }
    }
  }

  @Test("refuses a file of 100 MB without reading it")
  func large() throws {
    try withFolder { folder in
      let file = folder.appending(path: "large")
      try Data().write(to: file)
      let handle = try FileHandle(forWritingTo: file)
      try handle.truncate(atOffset: 100_000_000)
      try handle.close()
      let error = PlanError(
        .unreadable, "this is larger than 16 MiB", path: file.path,
        fix: "Check that it is the right file: a scenario is a few kilobytes.")
      #expect(throws: error) { try FileReader.read(file.path) }
    }
  }

  @Test("stops at the limit where a size is not known before")
  func endless() {
    #expect(throws: PlanError.self) { try FileReader.read("/dev/zero") }
  }
}

import Testing

@testable import Planner

@Suite("A pickle") struct PickleWriterTests {
  /// The opcodes of `pickle.dumps({"a": 7, "b": True}, 4)` of Python 3.11, without the frame and the dictionary's memo.
  @Test("has Python's bytes") func bytes() {
    var writer = PickleWriter()
    writer.dictionary {
      $0.entry("a", 7)
      $0.entry("b", true)
    }
    #expect(
      writer.finish() == [
        0x80, 4, 0x7D, 0x28, 0x8C, 1, 0x61, 0x94, 0x4B, 7, 0x8C, 1, 0x62, 0x94, 0x88, 0x75, 0x2E,
      ])
  }

  @Test("holds numbers of every size") func numbers() throws {
    let numbers = [
      0, 255, 256, 65_535, 65_536, 1 << 31 - 1, 1 << 31, 1 << 40, 1 << 62, -1, -(1 << 40), .max,
      .min,
    ]
    var writer = PickleWriter()
    writer.list(numbers.count) { $0.integer(numbers[$1]) }
    #expect(try PickleReader.read(writer.finish()) == .array(numbers.map { .integer($0) }))
  }

  @Test("holds lists longer than a batch, and text that comes again once") func long() throws {
    var writer = PickleWriter()
    writer.list(2500) { $0.text("text \($1 % 400)") }
    let bytes = writer.finish()
    #expect(
      try PickleReader.read(bytes)
        == .array((0..<2500).map { .string("text \($0 % 400)") }))
    #expect(bytes.count < 400 * 12 + 2500 * 5 + 100)
  }

  @Test("holds long text and objects that come again") func again() throws {
    let text = String(repeating: "é", count: 200)
    var writer = PickleWriter()
    writer.list(3) { writer, index in
      guard index > 0 else { return writer.text(text) }
      if index == 1 {
        writer.pair(1, 2)
        _ = writer.memoize()
      } else {
        writer.recall(1)
      }
    }
    #expect(try PickleReader.read(writer.finish()) == [.string(text), [1, 2], [1, 2]])
  }
}

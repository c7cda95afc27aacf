/// Writes Python's pickle format, protocol 4: dictionaries, lists, text and whole numbers.
///
/// Opcodes as in `pickletools`. Containers are filled in batches, as Python's own pickler does; text that comes again
/// is written once.
struct PickleWriter {
  /// What was written so far.
  private(set) var bytes: [UInt8] = [0x80, 4]
  private var texts: [String: Int] = [:]
  private var memos = 0

  /// The most that one opcode adds to a container (`pickle._Pickler._BATCHSIZE`).
  private static let batch = 1000

  /// Ends the pickle.
  mutating func finish() -> [UInt8] {
    bytes.append(UInt8(ascii: "."))
    return bytes
  }

  /// A list of `count` elements.
  mutating func list(_ count: Int, _ element: (inout PickleWriter, Int) -> Void) {
    bytes.append(UInt8(ascii: "]"))
    fill(count, UInt8(ascii: "e"), element)
  }

  /// A dictionary, written by `entries` as keys with their values in turn.
  mutating func dictionary(_ entries: (inout PickleWriter) -> Void) {
    bytes += [UInt8(ascii: "}"), UInt8(ascii: "(")]
    entries(&self)
    bytes.append(UInt8(ascii: "u"))
  }

  /// A key with a whole number.
  mutating func entry(_ key: StaticString, _ number: Int) {
    text("\(key)")
    integer(number)
  }

  /// A key with text.
  mutating func entry(_ key: StaticString, _ text: String) {
    self.text("\(key)")
    self.text(text)
  }

  /// A key with `True` or `False`.
  mutating func entry(_ key: StaticString, _ truth: Bool) {
    text("\(key)")
    bytes.append(truth ? 0x88 : 0x89)
  }

  /// A key with what `value` writes.
  mutating func entry(_ key: StaticString, _ value: (inout PickleWriter) -> Void) {
    text("\(key)")
    value(&self)
  }

  private mutating func fill(
    _ count: Int, _ opcode: UInt8, _ element: (inout PickleWriter, Int) -> Void
  ) {
    var index = 0
    while index < count {
      bytes.append(UInt8(ascii: "("))
      let end = min(count, index + Self.batch)
      while index < end {
        element(&self, index)
        index += 1
      }
      bytes.append(opcode)
    }
  }

  /// A whole number: one byte, two, four with a sign, or as many as it takes.
  mutating func integer(_ number: Int) {
    switch number {
    case 0..<256: bytes += [UInt8(ascii: "K"), UInt8(number)]
    case 256..<65_536:
      bytes.append(UInt8(ascii: "M"))
      little(number, 2)
    case Int(Int32.min)...Int(Int32.max):
      bytes.append(UInt8(ascii: "J"))
      little(number, 4)
    default:
      bytes += [0x8A, 8]
      little(number, 8)
    }
  }

  /// A pair of whole numbers.
  mutating func pair(_ a: Int, _ b: Int) {
    integer(a)
    integer(b)
    bytes.append(0x86)
  }

  /// Text.
  mutating func text(_ text: String) {
    if let memo = texts[text] { return recall(memo) }
    let utf8 = Array(text.utf8)
    if utf8.count < 256 {
      bytes += [0x8C, UInt8(utf8.count)]
    } else {
      bytes.append(UInt8(ascii: "X"))
      little(utf8.count, 4)
    }
    bytes += utf8
    texts[text] = memoize()
  }

  /// Keeps what was just written, to be written again by ``recall(_:)``.
  mutating func memoize() -> Int {
    bytes.append(0x94)
    memos += 1
    return memos - 1
  }

  /// The same object as one that was kept.
  mutating func recall(_ memo: Int) {
    if memo < 256 {
      bytes += [UInt8(ascii: "h"), UInt8(memo)]
    } else {
      bytes.append(UInt8(ascii: "j"))
      little(memo, 4)
    }
  }

  private mutating func little(_ number: Int, _ count: Int) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
  }
}

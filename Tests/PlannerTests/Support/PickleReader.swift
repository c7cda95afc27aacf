@testable import Planner

/// Reads the part of Python's pickle format that plain dictionaries, lists, text and numbers take.
///
/// Written from the descriptions in `pickletools`, not from ``PickleWriter``.
struct PickleReader {
  struct Unreadable: Error {
    var opcode: UInt8
    var offset: Int
  }

  private let bytes: [UInt8]
  private var at = 0
  private var stack: [JSONValue] = []
  private var marks: [Int] = []
  private var memo: [JSONValue] = []

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The pickled object; pairs are lists.
  static func read(_ bytes: [UInt8]) throws -> JSONValue {
    var reader = Self(bytes)
    return try reader.run()
  }

  private mutating func little(_ count: Int) -> Int {
    var number = UInt64(0)
    for index in 0..<count { number |= UInt64(bytes[at + index]) << UInt64(8 * index) }
    at += count
    // Two's complement of so many bytes.
    let shift = UInt64(64 - 8 * count)
    return Int(Int64(bitPattern: number << shift) >> Int64(shift))
  }

  private mutating func text(_ count: Int) {
    stack.append(.string(String(decoding: bytes[at..<at + count], as: UTF8.self)))
    at += count
  }

  private mutating func run() throws -> JSONValue {
    while true {
      let opcode = bytes[at]
      at += 1
      switch opcode {
      case 0x80: at += 1
      case UInt8(ascii: "]"): stack.append([])
      case UInt8(ascii: "}"): stack.append([:])
      case UInt8(ascii: "("): marks.append(stack.count)
      case UInt8(ascii: "e"):
        let mark = marks.removeLast()
        guard case .array(let old) = stack[mark - 1] else {
          throw Unreadable(opcode: opcode, offset: at)
        }
        let new = old + stack[mark...]
        stack.removeSubrange((mark - 1)...)
        stack.append(.array(new))
      case UInt8(ascii: "u"):
        let mark = marks.removeLast()
        guard case .object(var members) = stack[mark - 1] else {
          throw Unreadable(opcode: opcode, offset: at)
        }
        for index in stride(from: mark, to: stack.count, by: 2) {
          guard case .string(let key) = stack[index] else {
            throw Unreadable(opcode: opcode, offset: at)
          }
          members.append(.init(key, stack[index + 1]))
        }
        stack.removeSubrange((mark - 1)...)
        stack.append(.object(members))
      case UInt8(ascii: "K"):
        stack.append(.integer(Int(bytes[at])))
        at += 1
      case UInt8(ascii: "M"):
        stack.append(.integer(Int(bytes[at]) + Int(bytes[at + 1]) << 8))
        at += 2
      case UInt8(ascii: "J"): stack.append(.integer(little(4)))
      case 0x8A:
        at += 1
        stack.append(.integer(little(Int(bytes[at - 1]))))
      case 0x86:
        let pair = Array(stack.suffix(2))
        stack.removeLast(2)
        stack.append(.array(pair))
      case 0x88: stack.append(true)
      case 0x89: stack.append(false)
      case 0x8C:
        at += 1
        text(Int(bytes[at - 1]))
      case UInt8(ascii: "X"): text(little(4))
      case 0x94: memo.append(stack[stack.count - 1])
      case UInt8(ascii: "h"):
        stack.append(memo[Int(bytes[at])])
        at += 1
      case UInt8(ascii: "j"): stack.append(memo[little(4)])
      case UInt8(ascii: "."): return stack[0]
      default: throw Unreadable(opcode: opcode, offset: at)
      }
    }
  }
}

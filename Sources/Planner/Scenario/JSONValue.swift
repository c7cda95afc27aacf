/// A JSON document in memory: what scenario files, model configs and reports are made of.
///
/// Objects keep their members in order, so that what is written is the same on every run.
public enum JSONValue: Hashable, Sendable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number without a fraction that fits 64 bits.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// Text.
  case string(String)
  /// A list.
  case array([JSONValue])
  /// Members in order.
  case object([Member])

  /// One key of an object with its value.
  public struct Member: Hashable, Sendable {
    /// The key.
    public var key: String
    /// What stands there.
    public var value: JSONValue

    /// Pairs a key with a value.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The value of the first member named `key`, or `nil` where this is no object or has none.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    for member in members where member.key == key { return member.value }
    return nil
  }

  /// What this is, for messages: "a number", "an object".
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a truth value"
    case .integer, .number: "a number"
    case .string: "text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

extension JSONValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A literal `true` or `false`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A literal integer.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A literal number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// Literal text.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A literal list.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// A literal object; members keep the order they are written in.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
  /// A literal `null`.
  public init(nilLiteral: ()) { self = .null }
}

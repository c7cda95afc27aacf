import FoundationEssentials

/// Reads JSON text strictly, and says where it is wrong.
///
/// The toolchain's decoder makes the values. It gives no place for a mistake, lets a trailing comma pass and keeps one
/// of two equal keys, so ``JSONSyntax`` goes over the text first.
public enum JSONReader {
  /// The value that UTF-8 text describes; members of objects are in the order of their keys.
  ///
  /// Whole numbers beyond 64 bits become the nearest floating-point number.
  ///
  /// - Throws: ``PlanError/Kind/syntax`` with line and column for anything that is not JSON, for a key that
  ///   stands twice, for numbers beyond 1.8·10³⁰⁸ and for more than 64 levels of nesting.
  public static func read(_ bytes: [UInt8]) throws(PlanError) -> JSONValue {
    try JSONSyntax.check(bytes)
    do {
      return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    } catch {
      throw .undecodable
    }
  }

  /// The value that text describes; see ``read(_:)-([UInt8])``.
  public static func read(_ text: String) throws(PlanError) -> JSONValue {
    try read(Array(text.utf8))
  }
}

extension JSONValue: Decodable {
  /// Takes whatever stands at the decoder's place.
  ///
  /// The decoder cannot be asked for the kind of a value, only for one kind after the other; the frequent
  /// kinds come first because each miss costs an error.
  public init(from decoder: any Decoder) throws {
    let place = try decoder.singleValueContainer()
    if place.decodeNil() {
      self = .null
    } else if let text = try? place.decode(String.self) {
      self = .string(text)
    } else if let number = try? place.decode(Int.self) {
      self = .integer(number)
    } else if let object = try? decoder.container(keyedBy: AnyKey.self) {
      var members: [Member] = []
      for key in object.allKeys {
        members.append(Member(key.stringValue, try object.decode(JSONValue.self, forKey: key)))
      }
      self = .object(members.sorted { $0.key < $1.key })
    } else if let truth = try? place.decode(Bool.self) {
      self = .bool(truth)
    } else if var list = try? decoder.unkeyedContainer() {
      var elements: [JSONValue] = []
      while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
      self = .array(elements)
    } else {
      self = .number(try place.decode(Double.self))
    }
  }
}

/// A key of any name.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }

  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension PlanError {
  fileprivate static var undecodable: Self {
    Self(
      .syntax, "this is not JSON that can be read here",
      fix: "Look for unusual numbers or characters, and save the file as UTF-8.")
  }
}

/// A key that a reader asks for: what it takes, what stands for it where it is left out, what it means.
///
/// Each reader lists its keys beside itself and asks ``Settings`` for them by name alone, so that what is read, what an
/// error says and what `plan show` prints are the same line.
///
///     static let keys = [SettingKey("rank", .integer(1...65_536), default: 8, "columns of the low-rank matrices")]
///     let rank = try settings.integer("rank")
public struct SettingKey: Sendable {
  /// What a key takes.
  public indirect enum Values: Sendable {
    /// A whole number.
    case integer(ClosedRange<Int>)
    /// A number.
    case number(ClosedRange<Double>)
    /// `true` or `false`.
    case truth
    /// One of these texts.
    case choice([String])
    /// A list of whole numbers.
    case integers(ClosedRange<Int>)
    /// A list of texts.
    case texts
    /// Any text.
    case text
    /// An object with these keys.
    case object([SettingKey])
    /// What the reader checks by itself: its form in words, and an example.
    case other(String, JSONValue)

    /// One of the names of `Choice`.
    static func choice<Choice: RawRepresentable & CaseIterable>(of _: Choice.Type) -> Self
    where Choice.RawValue == String {
      .choice(Choice.allCases.map(\.rawValue))
    }
  }

  /// What stands for a key that is left out.
  public enum Fallback: Hashable, Sendable {
    /// Nothing: it has to be there.
    case needed
    /// A value.
    case value(JSONValue)
    /// Something that depends on more, in a few words.
    case said(String)
  }

  /// What another key has to be, so that this one is read.
  public struct Condition: Hashable, Sendable {
    /// The other key of the same object.
    public let key: String
    /// Its values; none is any value.
    public let values: [JSONValue]

    /// The other key has one of `values`, or any where none is named.
    static func key(_ key: String, _ values: JSONValue...) -> Self {
      Self(key: key, values: values)
    }

    /// The condition as a scenario writes it: `"policy": "every"`.
    public var text: String {
      let values = values.map(JSONWriter.line).joined(separator: " or ")
      return values.isEmpty ? "\"\(key)\"" : "\"\(key)\": \(values)"
    }

    /// One way to meet it: `"policy": "every"`.
    var example: String { Self(key: key, values: Array(values.prefix(1))).text }
  }

  /// The key.
  public let name: String
  /// What it takes.
  public let values: Values
  /// What stands for it.
  public let fallback: Fallback
  /// What it means, in one line.
  public let meaning: String
  /// What it belongs to; `nil` where it may always be there.
  public let condition: Condition?

  /// A key with a default value.
  init(
    _ name: String, _ values: Values, default: JSONValue, _ meaning: String,
    with condition: Condition? = nil
  ) {
    (self.name, self.values, fallback) = (name, values, .value(`default`))
    (self.meaning, self.condition) = (meaning, condition)
  }

  /// A key whose default is said in words: `"no limit"`.
  init(
    _ name: String, _ values: Values, otherwise: String, _ meaning: String,
    with condition: Condition? = nil
  ) {
    (self.name, self.values, fallback) = (name, values, .said(otherwise))
    (self.meaning, self.condition) = (meaning, condition)
  }

  /// A key that has to be there.
  init(
    needed name: String, _ values: Values, _ meaning: String, with condition: Condition? = nil
  ) {
    (self.name, self.values, fallback) = (name, values, .needed)
    (self.meaning, self.condition) = (meaning, condition)
  }
}

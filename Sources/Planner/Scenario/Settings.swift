/// Reads one JSON object strictly: each key is asked for once, and what nobody asked for is an error.
///
/// Every error names the key path, the value and the fix. Reading order does not matter.
///
///     var settings = try Settings(value, path: "strategies.lora", keys: LoRA.keys)
///     let rank = try settings.integer("rank")
///     try settings.finish()
public struct Settings: Sendable {
  /// Where the object stands: `strategies.lora`.
  public let path: String
  /// The keys that its reader may ask for; `nil` where it says with each what it takes.
  let described: [SettingKey]?
  private let members: [JSONValue.Member]
  private var known: [String] = []

  /// Opens an object; throws when `value` is something else, or has a key that `described` does not have.
  public init(_ value: JSONValue, path: String, keys described: [SettingKey]? = nil)
    throws(PlanError)
  {
    guard case .object(let members) = value else {
      throw PlanError(
        .invalid, "expected an object here, found \(value.kind)", path: path,
        fix: "Write an object in braces: { … }.")
    }
    self.path = path
    self.members = members
    self.described = described
    try checkNames()
  }

  /// The value at `key`, or `nil` where it is absent or `null`.
  public mutating func value(_ key: String) -> JSONValue? {
    if !known.contains(key) { known.append(key) }
    for member in members where member.key == key {
      if case .null = member.value { return nil }
      return member.value
    }
    return nil
  }

  /// Whether `key` is there, even as `null`.
  public func has(_ key: String) -> Bool { members.contains { $0.key == key } }

  /// The keys in their order.
  public var keys: [String] { members.map(\.key) }

  /// A whole number within `range`; `nil` where absent.
  public mutating func optionalInteger(_ key: String, in range: ClosedRange<Int>)
    throws(PlanError) -> Int?
  {
    guard let value = value(key) else { return nil }
    guard case .integer(let number) = value else { throw wrong(key, value, "a whole number") }
    guard range.contains(number) else {
      throw PlanError(
        .invalid, "\(number) is out of range", path: place(key),
        fix: range.lowerBound == range.upperBound
          ? "Write \(range.lowerBound)."
          : "Use a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A whole number within `range`; throws where absent and there is no default.
  public mutating func integer(_ key: String, in range: ClosedRange<Int>, default: Int? = nil)
    throws(PlanError) -> Int
  {
    if let number = try optionalInteger(key, in: range) { return number }
    guard let `default` else { throw missing(key, "a whole number") }
    return `default`
  }

  /// A finite number within `range`; `nil` where absent.
  public mutating func optionalNumber(_ key: String, in range: ClosedRange<Double>)
    throws(PlanError) -> Double?
  {
    guard let value = value(key) else { return nil }
    let number: Double
    switch value {
    case .integer(let whole): number = Double(whole)
    case .number(let real): number = real
    default: throw wrong(key, value, "a number")
    }
    guard number.isFinite, range.contains(number) else {
      throw PlanError(
        .invalid, "\(JSONValue.short(number)) is out of range", path: place(key),
        fix:
          "Use a number from \(JSONValue.short(range.lowerBound)) to \(JSONValue.short(range.upperBound))."
      )
    }
    return number
  }

  /// `true` or `false`.
  public mutating func bool(_ key: String, default: Bool) throws(PlanError) -> Bool {
    guard let value = value(key) else { return `default` }
    guard case .bool(let truth) = value else { throw wrong(key, value, "true or false") }
    return truth
  }

  /// `true` or `false`; `nil` where absent.
  public mutating func optionalBool(_ key: String) throws(PlanError) -> Bool? {
    guard value(key) != nil else { return nil }
    return try bool(key, default: false)
  }

  /// Text; `nil` where absent.
  public mutating func optionalString(_ key: String) throws(PlanError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let text) = value else { throw wrong(key, value, "text in quotes") }
    return text
  }

  /// One of the names of `Choice`; throws where absent and there is no default.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default: Choice? = nil
  ) throws(PlanError) -> Choice where Choice.RawValue == String {
    let names = Choice.allCases.map { $0.rawValue }
    let quoted = "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
    switch value(key) {
    case .string(let text)?:
      if let choice = Choice(rawValue: text) { return choice }
      throw PlanError(
        .unknown, "\"\(text.prefix(80))\" is not known here", path: place(key),
        fix: NearestName.hint(text, in: names))
    case let value?: throw wrong(key, value, quoted)
    case nil:
      guard let `default` else { throw missing(key, quoted) }
      return `default`
    }
  }

  /// A list of texts; `nil` where absent.
  public mutating func optionalStrings(_ key: String) throws(PlanError) -> [String]? {
    guard let value = value(key) else { return nil }
    guard case .array(let elements) = value else { throw wrong(key, value, "a list of texts") }
    var texts: [String] = []
    for (index, element) in elements.enumerated() {
      guard case .string(let text) = element else {
        throw wrong("\(key)[\(index)]", element, "text in quotes")
      }
      texts.append(text)
    }
    return texts
  }

  /// A list of whole numbers within `range`; `nil` where absent.
  public mutating func optionalIntegers(_ key: String, in range: ClosedRange<Int>)
    throws(PlanError) -> [Int]?
  {
    guard let value = value(key) else { return nil }
    guard case .array(let elements) = value else {
      throw wrong(key, value, "a list of whole numbers")
    }
    var numbers: [Int] = []
    for (index, element) in elements.enumerated() {
      guard case .integer(let number) = element, range.contains(number) else {
        throw wrong(
          "\(key)[\(index)]", element,
          "a whole number from \(range.lowerBound) to \(range.upperBound)")
      }
      numbers.append(number)
    }
    return numbers
  }

  /// The object at `key`, opened with `keys`, or with those that the list has for it; `nil` where absent.
  public mutating func object(_ key: String, keys: [SettingKey]? = nil) throws(PlanError)
    -> Settings?
  {
    guard let value = value(key) else { return nil }
    var inner = keys
    for described in described ?? [] where described.name == key {
      if case .object(let keys) = described.values { inner = inner ?? keys }
    }
    return try Settings(value, path: place(key), keys: inner)
  }

  /// Throws when the object has a key that nobody asked for, with the nearest one that somebody did.
  public func finish() throws(PlanError) {
    for member in members where !known.contains(member.key) {
      throw misplaced(member.key) ?? unknown(member.key, among: known)
    }
    guard let described else { return }
    for key in known where !described.contains(where: { $0.name == key }) {
      throw .undescribed(place(key))
    }
  }

  func unknown(_ key: String, among known: [String]) -> PlanError {
    PlanError(
      .unknown, "unknown key \"\(key.prefix(80))\"", path: place(key),
      fix: NearestName.hint(key, in: known))
  }

  /// The key path of `key`.
  public func place(_ key: String) -> String {
    path.isEmpty ? String(key.prefix(80)) : path + "." + key.prefix(80)
  }

  private func wrong(_ key: String, _ value: JSONValue, _ wanted: String) -> PlanError {
    PlanError(
      .invalid, "expected \(wanted), found \(value.shown)", path: place(key),
      fix: "Write \(wanted).")
  }

  func missing(_ key: String, _ wanted: String) -> PlanError {
    PlanError(
      .invalid, "\"\(key)\" is missing", path: place(key),
      fix: "Add \"\(key)\": \(wanted).")
  }
}

extension JSONValue {
  /// A number as a message shows it: a whole one without a point.
  static func short(_ number: Double) -> String {
    abs(number) < 1e15 ? Int(exactly: number).map { "\($0)" } ?? "\(number)" : "\(number)"
  }

  /// The value as a message shows it: short, in one line.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let truth): "\(truth)"
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .string(let text): "the text \"\(text.prefix(40))\""
    case .array, .object: kind
    }
  }
}

/// Reads by the list of keys that the object was opened with: ranges, names and defaults stand there.
///
/// A key that is not in the list, or not of that kind, is a mistake of the reader: ``PlanError/Kind/defect``.
extension Settings {
  /// A whole number; the default of the list where absent.
  public mutating func integer(_ key: String) throws(PlanError) -> Int {
    let (described, range) = try range(key)
    return try integer(key, in: range, default: described.integer)
  }

  /// A whole number; `nil` where absent.
  public mutating func optionalInteger(_ key: String) throws(PlanError) -> Int? {
    try optionalInteger(key, in: range(key).1)
  }

  /// A number; the default of the list where absent.
  public mutating func number(_ key: String) throws(PlanError) -> Double {
    if let number = try optionalNumber(key) { return number }
    let described = try described(key) { if case .number(let range) = $0 { range } else { nil } }.0
    guard let number = described.number else { throw missing(key, "a number") }
    return number
  }

  /// A number; `nil` where absent.
  public mutating func optionalNumber(_ key: String) throws(PlanError) -> Double? {
    let (_, range) = try described(key) { if case .number(let range) = $0 { range } else { nil } }
    return try optionalNumber(key, in: range)
  }

  /// `true` or `false`; the default of the list where absent.
  public mutating func bool(_ key: String) throws(PlanError) -> Bool {
    let (described, _) = try described(key) { if case .truth = $0 { true } else { nil } }
    if case .value(.bool(let truth)) = described.fallback { return try bool(key, default: truth) }
    guard let truth = try optionalBool(key) else { throw missing(key, "true or false") }
    return truth
  }

  /// One of the names of `Choice`; the default of the list where absent.
  public mutating func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String
  ) throws(PlanError) -> Choice where Choice.RawValue == String {
    let names = Choice.allCases.map { $0.rawValue }
    let (described, _) = try described(key) { (values) -> Bool? in
      if case .choice(names) = values { true } else { nil }
    }
    guard case .value(.string(let name)) = described.fallback else {
      return try choice(key, default: nil)
    }
    return try choice(key, default: Choice(rawValue: name))
  }

  /// A list of whole numbers; `nil` where absent.
  public mutating func optionalIntegers(_ key: String) throws(PlanError) -> [Int]? {
    let (_, range) = try described(key) { if case .integers(let range) = $0 { range } else { nil } }
    return try optionalIntegers(key, in: range)
  }

  private func range(_ key: String) throws(PlanError) -> (SettingKey, ClosedRange<Int>) {
    try described(key) { if case .integer(let range) = $0 { range } else { nil } }
  }

  private func described<Wanted>(_ key: String, _ part: (SettingKey.Values) -> Wanted?)
    throws(PlanError) -> (SettingKey, Wanted)
  {
    for described in described ?? [] where described.name == key {
      if let part = part(described.values) { return (described, part) }
    }
    throw .undescribed(place(key))
  }
}

extension SettingKey {
  fileprivate var integer: Int? {
    if case .value(.integer(let number)) = fallback { return number }
    return nil
  }

  fileprivate var number: Double? {
    switch fallback {
    case .value(.integer(let number)): Double(number)
    case .value(.number(let number)): number
    default: nil
    }
  }
}

extension Settings {
  /// Throws when there is a key that the list does not have: a misspelt key is a better answer than a missing one.
  func checkNames() throws(PlanError) {
    guard let described else { return }
    for key in keys where !described.contains(where: { $0.name == key }) {
      var names: [String] = []
      for described in described where !names.contains(described.name) {
        names.append(described.name)
      }
      throw unknown(key, among: names)
    }
  }

  /// The error for a key that nobody asked for though the list has it: what it belongs to is not there.
  func misplaced(_ key: String) -> PlanError? {
    let rows = (described ?? []).filter { $0.name == key }
    let conditions = rows.compactMap(\.condition)
    guard let first = conditions.first else { return nil }
    let all = conditions.map(\.text).joined(separator: " or ")
    return PlanError(
      .conflict, "\"\(key)\" says nothing here: it goes with \(all)", path: place(key),
      fix: "Leave it out, or add \(first.example).")
  }
}

extension PlanError {
  static func undescribed(_ path: String) -> Self {
    Self(
      .defect, "this key is read, and not in its reader's list of keys", path: path,
      fix: "Report this: it is a mistake in plan.")
  }
}

/// What can become of one layer: nothing, a checkpoint, or a selective one.
public enum LayerOption: Hashable, Sendable {
  /// Everything that backward needs is kept.
  case none
  /// Its input is kept, and the rest computed again.
  case full
  /// Its input and the results of these operators are kept.
  case selective(SavedOperations)

  /// Reads `"none"`, `"full"`, `"torchtitan"` or a list of operators.
  init(_ key: String, in settings: inout Settings) throws(PlanError) {
    switch settings.value(key) {
    case "none": self = .none
    case "full": self = .full
    default: self = .selective(try SavedOperations(key, in: &settings))
    }
  }

  /// What it keeps from forward to backward.
  func retention(reentrant: Bool) -> Retention {
    switch self {
    case .none: .keep
    case .full: .recompute(reentrant: reentrant)
    case .selective(let operations): .selective(operations)
    }
  }

  /// As a scenario spells it.
  var setting: JSONValue {
    switch self {
    case .none: "none"
    case .full: "full"
    case .selective(let operations): operations.setting
    }
  }

  /// A few words for people.
  var label: String {
    switch self {
    case .none: "nothing"
    case .full: "all"
    case .selective(let operations): "all but \(operations.label)"
    }
  }
}

extension ActivationCheckpointing.Policy {
  /// Whether any layer is checkpointed selectively.
  var isSelective: Bool {
    switch self {
    case .selective, .mixed(first: .selective, _, _), .mixed(_, _, rest: .selective): true
    default: false
    }
  }
}

extension SavedOperations {
  /// Reads a list of operators, or `"torchtitan"`.
  init(_ key: String, in settings: inout Settings) throws(PlanError) {
    let place = settings.place(key)
    let known = Name.allCases.map(\.rawValue)
    if case .string(let text)? = settings.value(key) {
      guard text == "torchtitan" else {
        throw PlanError(
          .unknown, "\"\(text.prefix(80))\" is no list of operators", path: place,
          fix: "Write \"torchtitan\", or a list of \(known.joined(separator: ", ")).")
      }
      self = .torchtitan
      return
    }
    guard let texts = try settings.optionalStrings(key) else {
      throw PlanError(
        .invalid, "\"\(key)\" is missing", path: place,
        fix: "Add the operators to keep: [\"mm\", \"attention\"], or \"torchtitan\".")
    }
    var names: [Name] = []
    for text in texts {
      guard let name = Name(rawValue: text) else {
        throw PlanError(
          .unknown, "\"\(text.prefix(80))\" is no operator that can be kept", path: place,
          fix: NearestName.hint(text, in: known))
      }
      names.append(name)
    }
    self.init(names)
  }

  /// As a scenario spells it.
  var setting: JSONValue {
    everySecondProduct ? "torchtitan" : .array(names.map { .string($0.rawValue) })
  }

  /// A few words for people.
  var label: String {
    everySecondProduct ? "torchtitan's list" : names.map(\.rawValue).joined(separator: ", ")
  }
}

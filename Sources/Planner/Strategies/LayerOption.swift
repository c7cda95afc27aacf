/// What can become of one layer: nothing, a checkpoint, or a selective one.
public enum LayerOption: Hashable, Sendable {
  /// Everything that backward needs is kept.
  case none
  /// Its input is kept, and the rest computed again.
  case full
  /// Its input and the results of these operators are kept.
  case selective(SavedOperations)
  /// What a minimum cut keeps within a memory budget from 0 to 1.
  case minCut(budget: Double)

  /// What a key takes that names one.
  static let values = SettingKey.Values.other(
    "\"none\", \"full\", operators as in \"operations\", or a budget from 0 to 1", "full")

  /// Reads `"none"`, `"full"`, `"torchtitan"`, a list of operators or a memory budget.
  init(_ key: String, in settings: inout Settings) throws(PlanError) {
    switch settings.value(key) {
    case "none": self = .none
    case "full": self = .full
    case "torchtitan", .array: self = .selective(try SavedOperations(key, in: &settings))
    case .integer, .number: self = .minCut(budget: try MinCutPolicy.budget(key, in: &settings))
    case let other:
      throw PlanError(
        .invalid, other.map { "\($0.shown) says nothing of a layer" } ?? "\"\(key)\" is missing",
        path: settings.place(key),
        fix:
          "Write \"none\", \"full\", a list of operators to keep, \"torchtitan\", or a budget from 0 to 1."
      )
    }
  }

  /// What it keeps from forward to backward.
  func retention(reentrant: Bool) -> Retention {
    switch self {
    case .none: .keep
    case .full: .recompute(reentrant: reentrant)
    case .selective(let operations): .selective(operations)
    case .minCut(let budget): .minCut(budget: budget)
    }
  }

  /// Whether a layer keeps everything or nothing.
  var isWhole: Bool { self == .none || self == .full }

  /// Whether its layers run in a checkpoint.
  var isCheckpoint: Bool {
    switch self {
    case .none, .minCut: false
    case .full, .selective: true
    }
  }

  /// As a scenario spells it.
  var setting: JSONValue {
    switch self {
    case .none: "none"
    case .full: "full"
    case .selective(let operations): operations.setting
    case .minCut(let budget): .number(budget)
    }
  }

  /// A few words for people.
  var label: String {
    switch self {
    case .none: "nothing"
    case .full: "all"
    case .selective(let operations): "all but \(operations.label)"
    case .minCut(let budget): "what a memory budget of \(budget) leaves out"
    }
  }
}

extension ActivationCheckpointing.Policy {
  /// Whether any layer is checkpointed selectively.
  var isSelective: Bool {
    switch self {
    case .selective, .mixed(first: .selective, _, _), .mixed(_, _, rest: .selective): true
    default: usesMinCut
    }
  }

  /// Whether a minimum cut chooses what any layer keeps.
  var usesMinCut: Bool {
    switch self {
    case .minCut, .mixed(first: .minCut, _, _), .mixed(_, _, rest: .minCut): true
    default: false
    }
  }
}

extension SavedOperations {
  /// What a key takes that names them.
  static let values = SettingKey.Values.other(
    "a list of "
      + Name.allCases.map { JSONWriter.line(.string($0.rawValue)) }.joined(separator: ", ")
      + "; or \"torchtitan\"", ["mm", "attention"])

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

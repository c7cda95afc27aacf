/// Somebody's claim about a run, with the figures that decide whether it is right.
public struct Claim: Hashable, Sendable {
  /// The file of the article it is from.
  public var source: String
  /// What is claimed, in a sentence.
  public var text: String
  /// What has to be taken for granted so that it is right, or `nil`.
  public var assuming: String?
  /// What there is to say beyond the figures.
  public var note: String?
  /// Figures that a plan gives, beside those of the claim.
  public var figures: [Figure]
  /// The verdict where no figure decides it.
  public var verdict: String?

  /// One figure of a claim.
  public struct Figure: Hashable, Sendable {
    /// What it is, in a few words.
    public var name: String
    /// What the plan gives for it: `need_gb`.
    public var quantity: String
    /// What the claim says of it; `nil` where it says nothing.
    public var claimed: Claimed?
    /// Changes to the scenario (a JSON merge patch) that the figure is of.
    public var changes: JSONValue?
    /// Changes to the scenario that the figure is compared with.
    public var other: JSONValue?
    /// How it is compared.
    public var comparison: Comparison
    /// Whether the verdict depends on it; otherwise it is shown beside.
    public var decides: Bool
  }

  /// What a claim says of a figure.
  public enum Claimed: Hashable, Sendable {
    /// About so much: within a share of it.
    case about(Double, within: Double)
    /// From one number to another; either may be open.
    case range(Double?, Double?)
    /// Yes or no.
    case truth(Bool)

    /// Whether a plan's figure agrees; yes is 1.
    public func agrees(with found: Double) -> Bool {
      switch self {
      case .about(let number, let within): abs(found - number) <= abs(number) * within
      case .range(let least, let most):
        found >= least ?? -.infinity && found <= most ?? .infinity
      case .truth(let truth): (found != 0) == truth
      }
    }
  }

  /// How two plans are compared.
  public enum Comparison: String, Hashable, Sendable, CaseIterable {
    /// The first over the second.
    case ratio
    /// How much less the first is, as a share of the second.
    case reduction
    /// How much more the first is, as a share of the second.
    case increase
  }

  /// What a scenario's `claim` may have.
  static let keys = [
    SettingKey("source", .text, default: "", "the article's file"),
    SettingKey("text", .text, default: "", "what is claimed, in a sentence"),
    SettingKey("assuming", .text, otherwise: "nothing", "what has to be granted so that it holds"),
    SettingKey("note", .text, otherwise: "nothing", "what there is to say beyond the figures"),
    SettingKey(
      "figures", .other("a list of objects with \"quantity\", \"claimed\" and so on", []),
      default: [], "figures of the plan beside those of the claim"),
    SettingKey("verdict", .text, otherwise: "the figures'", "where no figure decides it"),
  ]

  private static let figureKeys = [
    SettingKey("quantity", .text, default: "", "what the plan gives: need_gb"),
    SettingKey("name", .text, otherwise: "the quantity", "what it is, in a few words"),
    SettingKey(
      "claimed", .other("160, [130, 160], [null, 24] or true", 160), otherwise: "nothing",
      "what is claimed of it"),
    SettingKey("within", .number(0...1), default: 0.1, "how near a number has to be"),
    SettingKey(
      "in", .other("an object", [:]), otherwise: "nothing", "changes to the scenario"),
    SettingKey(
      "over", .other("an object", [:]), otherwise: "nothing",
      "changes to the scenario that it is compared with"),
    SettingKey("compare", .choice(of: Comparison.self), default: "ratio", "how it is compared"),
    SettingKey("decides", .truth, default: true, "whether the verdict depends on it"),
  ]

  /// Reads a scenario's `claim`.
  init(_ settings: inout Settings) throws(PlanError) {
    source = try settings.optionalString("source") ?? ""
    text = try settings.optionalString("text") ?? ""
    assuming = try settings.optionalString("assuming")
    note = try settings.optionalString("note")
    verdict = try settings.optionalString("verdict")
    figures = []
    guard case .array(let rows)? = settings.value("figures") else {
      guard settings.value("figures") == nil else { throw .noFigures(settings.place("figures")) }
      return
    }
    for (index, row) in rows.enumerated() {
      var figure = try Settings(
        row, path: settings.place("figures[\(index)]"), keys: Self.figureKeys)
      figures.append(try Figure(&figure))
    }
  }
}

extension Claim.Figure {
  /// Reads one figure.
  fileprivate init(_ settings: inout Settings) throws(PlanError) {
    quantity = try settings.optionalString("quantity") ?? ""
    name = try settings.optionalString("name") ?? quantity
    changes = settings.value("in")
    other = settings.value("over")
    comparison = try settings.choice("compare")
    decides = try settings.bool("decides")
    let within = try settings.number("within")
    switch settings.value("claimed") {
    case .array(let ends)? where ends.count == 2:
      claimed = .range(ends[0].double, ends[1].double)
    case .bool(let truth)?: claimed = .truth(truth)
    case let value?:
      guard let number = value.double else { throw .noClaimedNumber(settings.place("claimed")) }
      claimed = .about(number, within: within)
    case nil: (claimed, decides) = (nil, false)
    }
  }
}

extension JSONValue {
  /// The number, or `nil` where this is none.
  fileprivate var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

extension PlanError {
  fileprivate static func noFigures(_ path: String) -> Self {
    Self(.invalid, "expected a list of figures", path: path, fix: "Write [ { \"quantity\": … } ].")
  }

  fileprivate static func noClaimedNumber(_ path: String) -> Self {
    Self(
      .invalid, "expected a number, two of them, or a truth value", path: path,
      fix: "Write 160, [130, 160], [null, 24] or true.")
  }
}

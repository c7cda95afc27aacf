/// What a scenario's `run` says: how much is trained on, and what electricity, hardware and storage are reckoned with.
public struct RunSettings: Hashable, Sendable {
  /// How long the run is.
  public var length: Length
  /// Seconds of an optimizer step that were measured; `nil` for the planner's estimate.
  public var stepSeconds: Double?
  /// The currency of the costs.
  public var currency: String?
  /// What one US dollar is in that currency.
  public var perDollar: Double?
  /// Energy that the building takes for each unit that the machines take.
  public var pue = 1.3
  /// What a kilowatt-hour costs, in the currency.
  public var pricePerKilowattHour = 0.15
  /// The share of its rated power that a device draws.
  public var powerFraction = 1.0
  /// What a node draws beyond its devices, as a share of what they draw.
  public var nodePower = 0.34
  /// What a node costs without its devices, in the currency.
  public var nodePrice = 0.0
  /// Years that bought hardware is used.
  public var years = 3.0
  /// The share of those years in which it works.
  public var utilization = 0.5
  /// How often the run is made each year; `nil` for once.
  public var runsPerYear: Double?
  /// Checkpoints that are kept.
  public var checkpointsKept = 2
  /// Optimizer steps from one checkpoint to the next; `nil` for as many checkpoints as are kept.
  public var checkpointEvery: Int?
  /// Whether a checkpoint holds the optimizer's states as well.
  public var savesOptimizer = true
  /// Bytes of the dataset for each token.
  public var bytesPerToken = 4.0
  /// What the scenario did not say, and what was taken.
  public var defaults: [Assumption] = []

  /// How long a run is.
  public enum Length: Hashable, Sendable {
    /// So many tokens, in full sequences.
    case tokens(Int)
    /// So many optimizer steps.
    case steps(Int)
    /// A dataset that is gone through: examples, their mean length in tokens, how often, and whether sequences are
    /// filled with several of them.
    case examples(Int, length: Int, epochs: Double, packed: Bool)
  }

  /// A run of so many tokens with all defaults.
  public init(tokens: Int) {
    length = .tokens(tokens)
    noteDefaults { _ in false }
  }

  /// What `run` may have.
  static let keys = [
    SettingKey("tokens", count, otherwise: "steps or examples", "tokens of the whole run"),
    SettingKey("steps", count, otherwise: "tokens or examples", "optimizer steps"),
    SettingKey("examples", count, otherwise: "tokens or steps", "examples of the dataset"),
    SettingKey(
      needed: "length", .integer(1...100_000_000), "tokens of an example", with: .key("examples")),
    SettingKey(
      "epochs", .number(0.000_001...1e6), default: 1, "passes over the examples",
      with: .key("examples")),
    SettingKey(
      "packed", .truth, default: true, "several examples in a sequence, or one",
      with: .key("examples")),
    SettingKey(
      "step_seconds", .number(1e-9...1e9), otherwise: "the estimate", "a step that you measured"),
    SettingKey(
      "currency", .other("three capital letters", "EUR"), otherwise: "that of the prices",
      "of all amounts"),
    SettingKey(
      "per_usd", .number(1e-6...1e9), otherwise: "the amounts stay in USD",
      "what a US dollar is in the currency"),
    SettingKey(
      "pue", .number(1...10), default: 1.3, "energy of the building over the machines'"),
    SettingKey("price_per_kwh", .number(0...1e6), default: 0.15, "of electricity"),
    SettingKey(
      "power_fraction", .number(0.01...2), default: 1, "of its rated power that a device draws"),
    SettingKey(
      "node_power", .number(0...10), default: 0.34, "what nodes draw beyond their devices"),
    SettingKey("node_price", .number(0...1e12), default: 0, "a server without its devices"),
    SettingKey("years", .number(0.01...100), default: 3, "in which hardware is written off"),
    SettingKey(
      "utilization", .number(0.001...1), default: 0.5, "share of its time that it works"),
    SettingKey(
      "retrain_per_year", .number(0.001...1e6), otherwise: "once in all",
      "how often the run is made"),
    SettingKey("checkpoints_kept", .integer(0...1_000_000), default: 2, "on the disk"),
    SettingKey(
      "checkpoint_every", .integer(1...1_000_000_000_000), otherwise: "so many in all",
      "steps between checkpoints"),
    SettingKey(
      "checkpoint_optimizer", .truth, default: true, "checkpoints hold the optimizer as well"),
    SettingKey("bytes_per_token", .number(0...1e9), default: 4, "of the dataset on the disk"),
  ]

  private static let count = SettingKey.Values.other("a whole number, also as 1e9", 1_000_000)

  /// Reads a scenario's `run`.
  ///
  /// - Throws: ``PlanError`` with the key path where a value is outside its range or two exclude each other.
  init(_ settings: inout Settings) throws(PlanError) {
    length = try Self.length(&settings)
    stepSeconds = try settings.optionalNumber("step_seconds")
    currency = try settings.currency("currency")
    perDollar = try settings.optionalNumber("per_usd")
    pue = try settings.number("pue")
    pricePerKilowattHour =
      try settings.number("price_per_kwh")
    powerFraction = try settings.number("power_fraction")
    nodePower = try settings.number("node_power")
    nodePrice = try settings.number("node_price")
    years = try settings.number("years")
    utilization = try settings.number("utilization")
    runsPerYear = try settings.optionalNumber("retrain_per_year")
    checkpointsKept = try settings.integer("checkpoints_kept")
    checkpointEvery = try settings.optionalInteger("checkpoint_every")
    savesOptimizer = try settings.bool("checkpoint_optimizer")
    bytesPerToken = try settings.number("bytes_per_token")
    try settings.finish()
    let given = settings
    noteDefaults { given.has($0) }
  }

  /// The one way that says how long the run is.
  private static func length(_ settings: inout Settings) throws(PlanError) -> Length {
    let tokens = try settings.count("tokens")
    let steps = try settings.count("steps")
    let examples = try settings.count("examples")
    let ways = [tokens, steps, examples].compactMap(\.self).count
    guard ways == 1 else { throw .wrongLength(ways, settings.path) }
    for key in ["length", "epochs", "packed"] where examples == nil && settings.has(key) {
      throw .onlyWithExamples(settings.place(key))
    }
    if let tokens { return .tokens(tokens) }
    if let steps { return .steps(steps) }
    let length = try settings.integer("length")
    let epochs = try settings.number("epochs")
    let packed = try settings.bool("packed")
    return .examples(examples ?? 0, length: length, epochs: epochs, packed: packed)
  }

  /// What is taken where nothing is said, each with where it is from.
  private mutating func noteDefaults(_ isGiven: (String) -> Bool) {
    func note(_ key: String, _ text: String, _ source: String) {
      if !isGiven(key) { defaults.append(Assumption("run_\(key)", text, source: source)) }
    }
    note(
      "pue", "a building that takes 1.3 units of energy for each of the machines",
      "Uptime Institute surveys: 1.56 on average in 2024; Google 1.10")
    note(
      "price_per_kwh", "electricity at 0.15 a kilowatt-hour",
      "between US industrial and residential rates; local bills decide")
    note(
      "power_fraction", "devices draw their rated power while they train",
      "data sheets; 0.8 to 1.0 was seen")
    note(
      "node_power", "a node draws 34 % more than its devices",
      "ml-engineering: a tray of 4 GB300 draws 5.6 kW for its devices and 1.9 kW beside them")
    note(
      "node_price", "bought devices without the servers around them",
      "the catalog has prices of devices alone")
    note("years", "bought hardware is written off over 3 years", "a usual term")
    note("utilization", "bought hardware works half of the time", "a choice")
    note("checkpoints_kept", "2 checkpoints are kept, the last and the best", "a choice")
    note(
      "bytes_per_token", "4 bytes of dataset for each token",
      "token ids of 32 bits; text in English has about as many")
  }
}

extension Settings {
  /// A count of at least 1, also written `2e12`; `nil` where absent.
  fileprivate mutating func count(_ key: String) throws(PlanError) -> Int? {
    guard let value = value(key) else { return nil }
    if case .integer = value {
      return try optionalInteger(key, in: 1...1_000_000_000_000_000_000)
    }
    guard let number = try optionalNumber(key, in: 1...1e18) else { return nil }
    guard let count = Int(exactly: number) else {
      throw PlanError(
        .invalid, "\(number) is no whole number", path: place(key), fix: "Write a whole number.")
    }
    return count
  }
}

extension PlanError {
  fileprivate static func wrongLength(_ ways: Int, _ path: String) -> Self {
    ways == 0
      ? Self(
        .invalid, "nothing says how long the run is", path: path,
        fix: "Add \"tokens\", \"steps\", or \"examples\" with \"length\" and \"epochs\".")
      : Self(
        .conflict, "the length of the run is said twice", path: path,
        fix: "Keep one of \"tokens\", \"steps\" and \"examples\".")
  }

  fileprivate static func onlyWithExamples(_ path: String) -> Self {
    Self(
      .conflict, "this belongs to \"examples\"", path: path,
      fix: "Give \"examples\" in place of the other length, or leave it out.")
  }
}

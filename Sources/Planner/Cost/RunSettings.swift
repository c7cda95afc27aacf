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

  static let keys = [
    "tokens", "steps", "examples", "length", "epochs", "packed", "step_seconds", "currency",
    "per_usd", "pue", "price_per_kwh", "power_fraction", "node_power", "node_price", "years",
    "utilization", "retrain_per_year", "checkpoints_kept", "checkpoint_every",
    "checkpoint_optimizer", "bytes_per_token",
  ]

  /// Reads a scenario's `run`.
  ///
  /// - Throws: ``PlanError`` with the key path where a value is outside its range or two exclude each other.
  init(_ settings: inout Settings) throws(PlanError) {
    try settings.expect(Self.keys)
    length = try Self.length(&settings)
    stepSeconds = try settings.optionalNumber("step_seconds", in: 1e-9...1e9)
    currency = try settings.currency("currency")
    perDollar = try settings.optionalNumber("per_usd", in: 1e-6...1e9)
    pue = try settings.optionalNumber("pue", in: 1...10) ?? pue
    pricePerKilowattHour =
      try settings.optionalNumber("price_per_kwh", in: 0...1e6) ?? pricePerKilowattHour
    powerFraction = try settings.optionalNumber("power_fraction", in: 0.01...2) ?? powerFraction
    nodePower = try settings.optionalNumber("node_power", in: 0...10) ?? nodePower
    nodePrice = try settings.optionalNumber("node_price", in: 0...1e12) ?? nodePrice
    years = try settings.optionalNumber("years", in: 0.01...100) ?? years
    utilization = try settings.optionalNumber("utilization", in: 0.001...1) ?? utilization
    runsPerYear = try settings.optionalNumber("retrain_per_year", in: 0.001...1e6)
    checkpointsKept = try settings.integer(
      "checkpoints_kept", in: 0...1_000_000, default: checkpointsKept)
    checkpointEvery = try settings.optionalInteger("checkpoint_every", in: 1...1_000_000_000_000)
    savesOptimizer = try settings.bool("checkpoint_optimizer", default: savesOptimizer)
    bytesPerToken = try settings.optionalNumber("bytes_per_token", in: 0...1e9) ?? bytesPerToken
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
    let length = try settings.integer("length", in: 1...100_000_000)
    let epochs = try settings.optionalNumber("epochs", in: 0.000_001...1e6) ?? 1
    let packed = try settings.bool("packed", default: true)
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

/// Where a scenario stops fitting when one of its numbers grows: found by bisection, each value planned for real.
public struct Sensitivity: Sendable {
  /// One number of the scenario.
  public struct Row: Sendable {
    /// Which number.
    public var quantity: Quantity
    /// What it is in the scenario.
    public var now: Int
    /// The largest value that fits and the plan with it; `nil` where none does.
    public var largest: (value: Int, report: Report)?
    /// The next value, which does not fit; `nil` where every value that was tried fits.
    public var beyond: (value: Int, report: Report)?
  }

  /// A number that grows.
  public enum Quantity: String, Hashable, Sendable, CaseIterable {
    /// Sequences of a micro-batch.
    case microBatch
    /// Tokens of a sequence, in steps of 128.
    case sequence
    /// Layers of the same widths: a larger model of the same shape.
    case layers
  }

  /// A model of the catalog in the scenario's place.
  public struct Larger: Sendable {
    /// The model's name.
    public var model: String
    /// Its plan.
    public var report: Report
  }

  /// One row for each number that can grow.
  public var rows: [Row] = []
  /// Models of the same family, by size.
  public var models: [Larger] = []

  /// Looks for the ends of a scenario.
  public init(_ scenario: Scenario, catalog: [CatalogModel] = ModelCatalog.all) throws(PlanError) {
    for quantity in Quantity.allCases {
      if let row = try Self.row(quantity, scenario) { rows.append(row) }
    }
    let type = Swift.type(of: scenario.model.family).modelType
    for model in catalog where model.config["model_type"] == .string(type) {
      var changed = scenario
      changed.model = try model.model()
      if let report = try Self.planned(changed, .verdict) {
        models.append(Larger(model: model.id, report: report))
      }
    }
    models.sort { ($0.report.parameters, $0.model) < ($1.report.parameters, $1.model) }
  }

  /// The plan, or `nil` where the value does not go with the scenario.
  private static func planned(
    _ scenario: Scenario, _ effort: ReservedMemory.Effort, layers: Int? = nil
  ) throws(PlanError) -> Report? {
    do { return try Planner.plan(scenario, effort, layers: layers) } catch {
      guard error.kind != .defect else { throw error }
      return nil
    }
  }

  /// The unit of a number, and the most that is tried.
  private static func range(_ quantity: Quantity) -> (unit: Int, most: Int) {
    switch quantity {
    case .microBatch: (1, 1 << 16)
    case .sequence: (128, 1 << 24)
    case .layers: (1, 1 << 12)
    }
  }

  private static func row(_ quantity: Quantity, _ scenario: Scenario) throws(PlanError) -> Row? {
    let (unit, most) = range(quantity)
    let now =
      switch quantity {
      case .microBatch: scenario.workload.microBatchSize
      case .sequence: scenario.workload.sequenceLength
      case .layers: try Planner.layers(of: scenario)
      }
    func plan(_ index: Int, _ effort: ReservedMemory.Effort) throws(PlanError) -> Report? {
      var changed = scenario
      if quantity == .microBatch { changed.workload.microBatchSize = index * unit }
      if quantity == .sequence { changed.workload.sequenceLength = index * unit }
      return try planned(changed, effort, layers: quantity == .layers ? index * unit : nil)
    }
    let limit = most / unit
    guard now > 0, now / unit < limit else { return nil }
    var row = Row(quantity: quantity, now: now)
    // Low fits, or is zero; high does not fit, or is beyond the limit.
    var (low, high) = (0, limit + 1)
    var next = max(1, now / unit)
    while high - low > 1 {
      let index = min(max(next, low + 1), high - 1)
      if try plan(index, .quick)?.fits ?? false { low = index } else { high = index }
      next = high > limit ? 2 * index : low == 0 ? index / 2 : (low + high) / 2
    }
    // The verdict over all orders of addresses may be a little stricter than over one.
    while low > 0, row.largest == nil {
      let report = try plan(low, .verdict)
      if let report, report.fits {
        row.largest = (low * unit, report)
      } else {
        (low, high) = (low - 1, low)
      }
    }
    if high <= limit, let report = try plan(high, .verdict) { row.beyond = (high * unit, report) }
    return row
  }
}

extension CatalogModel {
  /// The model, ready to be planned.
  func model() throws(PlanError) -> Model {
    var settings = try Settings(config, path: "model")
    guard case .string(let type)? = config["model_type"], let family = ModelFamilies.named(type)
    else { throw PlanError(.defect, "no family of \(id)", fix: "Report this.") }
    return Model(name: id, family: try family.init(&settings))
  }
}

/// A claim beside what its scenario comes to.
public struct ClaimCheck: Sendable {
  /// One figure of a claim beside that of a plan.
  public struct Finding: Sendable {
    /// The claim's figure.
    public var figure: Claim.Figure
    /// The plan's.
    public var found: Double
    /// Its unit; empty for shares and ratios.
    public var unit: String
    /// Whether they agree; `nil` where the claim says nothing of it.
    public var agrees: Bool?
  }

  /// What the figures say of the claim.
  public enum Verdict: String, Hashable, Sendable {
    /// Every figure agrees.
    case right
    /// None does.
    case wrong
    /// Some do.
    case partly = "partly right"
    /// No figure decides.
    case open
  }

  /// The scenario's name.
  public var name: String
  /// The claim.
  public var claim: Claim
  /// Its figures.
  public var findings: [Finding]

  /// Whether the claim is right, by the figures that decide.
  public var verdict: Verdict {
    let deciding = findings.filter(\.figure.decides).compactMap(\.agrees)
    if deciding.isEmpty { return .open }
    return deciding.allSatisfy(\.self) ? .right : deciding.contains(true) ? .partly : .wrong
  }

  /// Plans a scenario with a claim, and its variants.
  ///
  /// - Parameter read: Makes a scenario of its JSON.
  public init(
    _ document: JSONValue, read: (JSONValue) throws(PlanError) -> Scenario
  ) throws(PlanError) {
    let scenario = try read(document)
    guard let claim = scenario.claim else { throw .noClaim }
    self.claim = claim
    name = scenario.name
    findings = []
    for (index, figure) in claim.figures.enumerated() {
      do throws(PlanError) {
        findings.append(try Self.finding(figure, document, read))
      } catch {
        throw error.inside("claim.figures[\(index)]")
      }
    }
  }

  private static func finding(
    _ figure: Claim.Figure, _ document: JSONValue,
    _ read: (JSONValue) throws(PlanError) -> Scenario
  ) throws(PlanError) -> Finding {
    guard let quantity = ClaimQuantity.named(figure.quantity) else {
      throw .unknownName(
        figure.quantity, "quantity", among: ClaimQuantity.all.map(\.name), path: "quantity")
    }
    func value(_ patch: JSONValue?) throws(PlanError) -> Double {
      let scenario = try read(patch.map { document.merging($0) } ?? document)
      var report = try Planner.plan(scenario, .verdict)
      report.run = try scenario.run.map { (run) throws(PlanError) in
        try Run(scenario, run, report)
      }
      guard let value = try quantity.value(scenario, report), value.isFinite else {
        throw .noFigure(figure.quantity)
      }
      return value
    }
    var found = try value(figure.changes)
    var unit = quantity.unit
    if let other = figure.other {
      let base = try value(other)
      guard base != 0 else { throw .noFigure(figure.quantity) }
      unit = ""
      found =
        switch figure.comparison {
        case .ratio: found / base
        case .reduction: 1 - found / base
        case .increase: found / base - 1
        }
    }
    return Finding(
      figure: figure, found: found, unit: unit, agrees: figure.claimed?.agrees(with: found))
  }
}

extension PlanError {
  fileprivate static var noClaim: Self {
    Self(
      .invalid, "the scenario has no \"claim\"", path: "claim",
      fix: "Add \"claim\": { \"source\": …, \"text\": …, \"figures\": [ … ] }.")
  }

  fileprivate static func noFigure(_ quantity: String) -> Self {
    Self(
      .invalid, "the plan has no figure for \"\(quantity)\"", path: "quantity",
      fix: "Give the scenario a \"run\", or a price; or leave the figure out.")
  }
}

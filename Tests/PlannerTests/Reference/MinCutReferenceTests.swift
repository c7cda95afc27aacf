import Testing

@testable import Planner

/// What `torch.compile(layer, backend="aot_eager")` keeps of one layer for each `activation_memory_budget`.
@Suite("PyTorch's own partitioner") struct MinCutReferenceTests {
  static let cases = Fixtures.cases("min-cut")

  /// The joint graph of the last layer, as the scenario's step runs it.
  static func graph(_ reference: Fixtures.Case) throws -> JointGraph {
    let scenario = try reference.scenario
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    return JointGraph(
      graph.program, section: graph.stacks[0].pattern.last ?? 1, inputRequires: true)
  }

  /// Bytes that are kept for each budget, here and by PyTorch.
  static func kept(_ reference: Fixtures.Case) throws -> [(budget: Double, here: Int, torch: Int)] {
    let graph = try Self.graph(reference)
    let inputs = graph.inputs.reduce(0) { $0 + graph.nodes[$1].bytes }
    #expect(inputs == reference["reference", "input_bytes"]?.whole)
    let values = SavedValues(graph)
    guard case .array(let budgets)? = reference["reference", "budgets"] else { return [] }
    return budgets.compactMap { row in
      guard let budget = row["memory_budget"]?.number, let torch = row["saved_bytes"]?.whole else {
        return nil
      }
      return (budget, values.kept(budget: budget).reduce(0) { $0 + graph.nodes[$1].bytes }, torch)
    }
  }

  @Test("keeps the same bytes for every budget", arguments: cases.filter { !$0.routes })
  func savedBytes(_ reference: Fixtures.Case) throws {
    let rows = try Self.kept(reference)
    #expect(rows.count == 11)
    for row in rows { #expect(row.here == row.torch, "\(row.budget)") }
  }

  @Test(
    "keeps within 8 % as many where a router's indices are not written one by one",
    arguments: cases.filter(\.routes))
  func routed(_ reference: Fixtures.Case) throws {
    for row in try Self.kept(reference) {
      #expect(abs(Double(row.here) / Double(row.torch) - 1) < 0.08, "\(row.budget)")
    }
  }
}

extension Fixtures.Case {
  fileprivate var routes: Bool { self["scenario", "model", "model_type"] == "mixtral" }
}

extension JSONValue {
  fileprivate var whole: Int? {
    if case .integer(let number) = self { return number }
    return nil
  }

  fileprivate var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
}

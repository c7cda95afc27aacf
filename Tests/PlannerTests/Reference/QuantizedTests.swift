import Testing

@testable import Planner

@Suite("PyTorch's own figures for adapters over quantized weights, and for DoRA")
struct QuantizedTests {
  static let cases = Fixtures.cases("quantized")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks()
  }

  @Test("have equal counts of what is trained") func trainable() throws {
    for reference in Self.cases {
      let report = try Planner.plan(try reference.scenario, .tensors)
      #expect(
        report.trainableParameters
          == reference.value.integer("reference", "trainable_parameters"), "\(reference)")
    }
  }

  /// PyTorch counts two elements of a 4-bit weight as one; the planner counts the model's.
  @Test("have the parameters of the plain model") func parameters() throws {
    for reference in Self.cases {
      var scenario = try reference.scenario
      let quantized = try Planner.plan(scenario).parameters
      scenario.strategies = scenario.strategies.map { strategy in
        guard let lora = strategy as? LoRA else { return strategy }
        return LoRA(
          rank: lora.rank, targetModules: lora.targetModules,
          decomposesWeight: lora.decomposesWeight)
      }
      #expect(quantized == (try Planner.plan(scenario).parameters), "\(reference)")
    }
  }

  @Test("are all there") func count() { #expect(Self.cases.count >= 59) }
}

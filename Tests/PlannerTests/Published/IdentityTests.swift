import Testing

@testable import Planner

/// Sums that published measurements satisfy; each test names its source.
@Suite("Published measurements") struct IdentityTests {
  private func plan(_ model: String, _ change: (inout Scenario) -> Void = { _ in }) throws -> Report
  {
    let catalog = try #require(ModelCatalog.named(model))
    var settings = try Settings(catalog.config, path: "model")
    let type = try #require(ModelFamilies.named("mistral"))
    let llama = try #require(ModelFamilies.named("llama"))
    let family =
      model.hasPrefix("mistral") ? try type.init(&settings) : try llama.init(&settings)
    var scenario = Scenario(
      name: model, model: Model(name: model, family: family),
      workload: Workload(microBatchSize: 4, sequenceLength: 4096),
      strategies: [ActivationCheckpointing(.full)],
      device: try #require(DeviceCatalog.named("a100-80gb-sxm")))
    change(&scenario)
    return try Planner.plan(scenario)
  }

  /// foundation-model-stack, full fine-tuning in bf16 with AdamW foreach on an A100: 67.46 and 74.80 GiB at the
  /// optimizer step, which is 10 bytes per parameter.
  @Test(
    "full fine-tuning in bf16 with AdamW takes 10 bytes per parameter at the step",
    arguments: [("mistral-7b-v0.1", 67.46), ("llama-3-8b", 74.80)])
  func tenBytesPerParameter(model: String, gibibytes: Double) throws {
    let report = try plan(model)
    let optimizer = try #require(report.phases.last)
    #expect(abs(optimizer.live.gibibytes - gibibytes) / gibibytes < 0.001)
  }

  /// PyTorch's own count: the forward of the last projection is not needed for any gradient, so an early-stopping
  /// replay of a Llama layer does three quarters and more of its forward.
  @Test("an early-stopping replay leaves out the last projection of a layer") func earlyStop()
    throws
  {
    let early = try plan("llama-2-7b")
    let whole = try plan("llama-2-7b") {
      $0.strategies = [ActivationCheckpointing(.full, earlyStop: false)]
    }
    let down = 2.0 * 4 * 4096 * 11_008 * 4096 * 32
    let step = Double(early.flops.count) / (1 + early.recompute.flopsFraction)
    let saved = (whole.recompute.flopsFraction - early.recompute.flopsFraction) * step
    #expect(abs(saved - down) / down < 1e-9)
  }

  /// The 6 FLOPs per parameter and token of Kaplan and others, which leave attention out.
  @Test("a step without recomputation takes 6 FLOPs per parameter and token, and attention")
  func sixN() throws {
    let report = try plan("llama-2-7b") {
      $0.strategies = []
      $0.workload = Workload(microBatchSize: 1, sequenceLength: 128)
    }
    let matrices = Double(report.parameters - 32_000 * 4096)
    let ratio = Double(report.flops.count) / (6 * matrices * 128)
    #expect(ratio > 1 && ratio < 1.01)
  }
}

import Testing

@testable import Planner

@Suite("PyTorch's own figures for small optimizers") struct OptimizerReferenceTests {
  static let cases = Fixtures.cases("optimizers")

  @Test("are equal, or within 4 bytes with Adafactor's scalars", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    try reference.expectPeaks(slack: 4)
  }

  @Test("are all there") func count() { #expect(Self.cases.count == 40) }
}

@Suite("Optimizers without a reference") struct OptimizerStateTests {
  private func bytes(_ name: String, rows: Int, columns: Int) throws -> Int {
    let type = try #require(Optimizers.named(name))
    var settings = try Settings([:], path: "optimizer", keys: type.keys)
    let optimizer = try type.init(&settings)
    let parameter = try TensorSpec(rows, columns, .bf16)
    return try optimizer.states(of: parameter).reduce(0) { $0 + $1.bytes }
  }

  /// By hand for a 4,096 × 4,096 matrix: 16,777,216 elements in 65,536 blocks of 256.
  @Test(
    "keep what their sources say for a large matrix",
    arguments: [
      ("adamw", 67_108_864), ("adam", 67_108_864), ("adamw-8bit", 33_554_432 + 524_288),
      ("paged-adamw", 0), ("paged-adamw-8bit", 524_288), ("lion", 67_108_864),
      ("lion-8bit", 16_777_216 + 262_144), ("paged-lion-8bit", 262_144), ("adafactor", 16_384),
      ("muon", 33_554_432), ("sgd", 0),
    ])
  func large(name: String, expected: Int) throws {
    #expect(try bytes(name, rows: 4096, columns: 4096) == expected)
  }

  /// Below 4,096 elements bitsandbytes keeps fp32 states; below 100,000 it does not page.
  @Test(
    "keep small vectors in fp32",
    arguments: [
      ("adamw-8bit", 16_384), ("paged-adamw-8bit", 16_384), ("lion-8bit", 8192), ("lion", 8192),
      ("adafactor", 4096), ("muon", 8192),
    ])
  func small(name: String, expected: Int) throws {
    #expect(try bytes(name, rows: 1, columns: 2048) == expected)
  }
}

@Suite("An optimizer that steps in backward") struct InBackwardTests {
  private func error(_ changes: JSONValue.Member...) -> PlanError? {
    let base: [JSONValue.Member] = [
      .init("model", "llama-3.2-1b"),
      .init("workload", ["micro_batch_size": 1, "sequence_length": 128]),
      .init("optimizer", ["name": "adamw", "in_backward": true]),
    ]
    let keys = changes.map(\.key)
    let members = base.filter { !keys.contains($0.key) } + changes
    do {
      let scenario = try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no files", path: path, fix: "")
      }.read(.object(members))
      _ = try Planner.plan(scenario)
      return nil
    } catch { return error }
  }

  @Test("cannot clip gradients or accumulate them") func conflicts() {
    #expect(error() == nil)
    #expect(error(.init("gradient_clipping", 1))?.path == "gradient_clipping")
    let accumulation: JSONValue = [
      "micro_batch_size": 1, "sequence_length": 128, "gradient_accumulation_steps": 2,
    ]
    #expect(
      error(.init("workload", accumulation))?.path == "workload.gradient_accumulation_steps")
  }
}

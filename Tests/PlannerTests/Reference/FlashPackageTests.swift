import Testing

@testable import Planner

@Suite("PyTorch's own figures with the flash-attn package around a stand-in")
struct FlashPackageTests {
  static let cases = Fixtures.cases("flash-package")

  @Test("are met to the byte in every phase", arguments: cases)
  func livePeaks(_ reference: Fixtures.Case) throws {
    let report = try reference.expectPeaks()
    #expect(report.parameters == reference.value.integer("reference", "parameters"))
  }

  @Test("are not fewer than before") func count() { #expect(Self.cases.count >= 60) }
}

@Suite("FlashAttention 2 of the flash-attn package") struct FlashPackageRuleTests {
  /// By hand for two sequences of 1,000 tokens, four heads over two, 100 elements each in bf16 on 132
  /// multiprocessors: heads are padded to 104 elements, sums to 128, rows of sums to 1,024.
  @Test("saves padded heads, and sums in fp32 in backward") func bytes() throws {
    var context = ForwardContext()
    (context.batch, context.sequence) = (2, 1000)
    var f = Forward(context)
    let q = f.local(f.register(try TensorSpec(8000, 100, .bf16)))
    let k = f.local(f.register(try TensorSpec(4000, 100, .bf16)))
    let v = f.local(f.register(try TensorSpec(4000, 100, .bf16)))
    let shape = AttentionShape(
      batch: 2, queries: 1000, keys: 1000, heads: 4, keyHeads: 2, headWidth: 100)
    let output = try f.packagedFlashAttention(q, k, v, shape: shape, transposed: false)
    #expect(output.spec.bytes == 1_600_000)
    let (wide, narrow) = (1_664_000, 832_000)
    #expect(
      f.program.saves.map(\.bytes) == [wide, narrow, narrow, wide, 32_000, 16])
    let made = f.program.steps.filter { $0.kind == .gradient || $0.kind == .allocate }
    #expect(
      made.map(\.bytes) == [wide, narrow, narrow, wide, 32_768, 4_194_304, wide, wide])
  }

  @Test(
    "pads sums of wide heads to whole 64 elements",
    arguments: [(64, 64), (72, 96), (128, 128), (136, 192), (160, 192), (224, 256), (256, 256)])
  func sums(width: Int, expected: Int) {
    #expect(FlashAttentionPackage.accumulated(width) == expected)
  }

  private func error(_ changes: JSONValue.Member...) -> PlanError? {
    var scenario: [JSONValue.Member] = [
      .init("model", "llama-2-7b"), .init("attention", "flash"),
      .init("workload", ["micro_batch_size": 1, "sequence_length": 128]),
    ]
    for change in changes {
      scenario.removeAll { $0.key == change.key }
      scenario.append(change)
    }
    do throws(PlanError) {
      let read = try ScenarioReader { (path) throws(PlanError) in
        throw PlanError(.unreadable, "no files", path: path, fix: "")
      }.read(.object(scenario))
      _ = try Planner.plan(read, .tensors)
      return nil
    } catch {
      return error
    }
  }

  @Test("refuses fp32, small devices, processors, wide heads and families without it")
  func refusals() {
    #expect(error() == nil)
    #expect(error(.init("attention", "flash_attention_2")) == nil)
    #expect(error(.init("precision", "bf16-mixed")) == nil)
    #expect(error(.init("precision", "32-true"))?.path == "attention")
    #expect(error(.init("hardware", ["device": "t4"]))?.message.contains("7.5") == true)
    for model: JSONValue in [
      "t5-base", "bloom-7b1", "falcon-7b",
      [
        "model_type": "llama", "vocab_size": 100, "hidden_size": 288, "intermediate_size": 288,
        "num_hidden_layers": 1, "num_attention_heads": 1,
      ],
      ["model_type": "gemma2", "attention_dropout": 0.1],
    ] {
      let error = error(.init("model", model))
      #expect(error?.kind == .unsupported && error?.path == "attention", "\(model)")
    }
  }
}

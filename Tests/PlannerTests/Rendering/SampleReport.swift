@testable import Planner

/// Reports made of round numbers: a renderer shows what it is given.
enum SampleReport {
  /// A report that fits into 24 GiB, or one that needs twice as much.
  static func make(fits: Bool = true) throws(PlanError) -> Report {
    let gib = 1 << 30
    let live = fits ? 16 * gib : 40 * gib
    var breakdown = Breakdown()
    breakdown[.parameters] = Bytes(12 * gib)
    breakdown[.gradients] = Bytes(gib / 4)
    breakdown[.optimizerState] = Bytes(gib / 2)
    breakdown[.activations] = Bytes(live - 12 * gib - gib / 4 - gib / 2 - 1_048_576)
    breakdown[.workspace] = Bytes(1_048_576)
    let phases = Phase.allCases.map { phase in
      Report.PhasePeak(
        phase: phase, live: Bytes(live - Int(phase.rawValue) * gib),
        allocated: Bytes(live + 512), reserved: Bytes(live + gib), operation: "lm_head: mm",
        breakdown: breakdown)
    }
    return Report(
      name: "Llama-2 7B, LoRA", device: "NVIDIA GeForce RTX 4090", model: "llama-2-7b",
      parameters: 6_738_415_616, trainableParameters: 8_388_608, fits: fits,
      peak: .init(
        live: Bytes(live), allocated: Bytes(live + 512), reserved: Bytes(live + gib),
        device: Bytes(live + 2 * gib), phase: .backward,
        operation: "layers.31.mlp.down_proj: mm", breakdown: breakdown),
      capacity: Bytes(24 * gib), phases: phases,
      recompute: .init(flopsFraction: 1 / 3, timeFraction: 0.31), flops: FLOPs(123_400_000_000_000),
      seconds: try Seconds(1.84),
      time: .init(
        low: try Seconds(1.9), expected: try Seconds(2), high: try Seconds(2.8),
        parts: [
          .init(key: "matrix_products", seconds: 1.2), .init(key: "memory_bound", seconds: 0.8),
        ],
        recomputeFraction: 0.25, tokens: 4096, devices: 1, modelFLOPs: 90e12,
        hardwareFLOPs: 120e12, peak: 165.2e12, basis: .measured),
      devices: .init(used: 1, copies: 1, minimum: fits ? 1 : nil),
      assumptions: [
        Assumption("default_precision", "precision bf16-true", source: "default"),
        Assumption("default_attention", "attention sdpa", source: "default"),
        Assumption(
          "context", "the CUDA context and the libraries' kernels take 0.50 GiB of the device",
          source: "measured"),
      ])
  }

  static func remedy() throws(PlanError) -> Remedy {
    Remedy(
      change: "\"strategies\": { \"checkpointing\": { \"policy\": \"full\" } }",
      cost: "trains 40.0 M of 6.7 B parameters", report: try make())
  }
}

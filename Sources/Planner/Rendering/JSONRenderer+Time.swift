extension JSONRenderer {
  /// A step's time.
  static func value(of time: StepTime) -> JSONValue {
    [
      "low_seconds": .number(time.low.value),
      "expected_seconds": .number(time.expected.value),
      "high_seconds": .number(time.high.value),
      "basis": .string(time.basis.rawValue),
      "tokens_per_second": .number(time.allTokensPerSecond),
      "tokens_per_second_per_device": .number(time.tokensPerSecond),
      "mfu": .number(time.mfu),
      "hfu": .number(time.hfu),
      "utilization_formula": .string(StepTime.formula),
      "model_flops": .number(time.modelFLOPs),
      "hardware_flops": .number(time.hardwareFLOPs),
      "peak_flops_per_second": .number(time.peak),
      "recompute_fraction": .number(time.recomputeFraction),
      "parts_seconds": .object(time.parts.map { .init($0.key, .number($0.seconds)) }),
    ]
  }
}

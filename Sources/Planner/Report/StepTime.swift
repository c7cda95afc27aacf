/// How long one optimizer step takes, estimated, with the range to expect and where the time goes.
public struct StepTime: Hashable, Sendable {
  /// The step where everything goes as well as it was seen to go on such a device.
  public var low: Seconds
  /// The step that is expected.
  public var expected: Seconds
  /// The step where it goes as badly as it was seen to go.
  public var high: Seconds
  /// Where the expected time goes, in seconds; adds up to it.
  public var parts: [Part]
  /// The share of the expected time that computes again.
  public var recomputeFraction: Double
  /// Tokens that all devices train on in a step.
  public var tokens: Int
  /// How many devices there are.
  public var devices: Int
  /// FLOPs of one device's matrix products and attention, forward and backward, nothing computed twice.
  public var modelFLOPs: Double
  /// The same with what is computed again.
  public var hardwareFLOPs: Double
  /// The dense peak of the device in the format that it computes in, in FLOP per second.
  public var peak: Double
  /// How the device's efficiency is known.
  public var basis: Efficiency.Basis

  /// What a part of a step's time is spent on.
  public struct Part: Hashable, Sendable {
    /// The key in the JSON report.
    public var key: String
    /// Expected seconds.
    public var seconds: Double
  }

  /// Tokens per second of all devices.
  public var tokensPerSecond: Double { Double(tokens) / max(expected.value, .leastNormalMagnitude) }
  /// Each device's share of ``tokensPerSecond``.
  public var tokensPerSecondPerDevice: Double { tokensPerSecond / Double(max(devices, 1)) }
  /// Model FLOPs utilization: ``modelFLOPs`` ÷ (expected time × peak).
  public var mfu: Double { utilization(modelFLOPs) }
  /// Hardware FLOPs utilization: ``hardwareFLOPs`` ÷ (expected time × peak).
  public var hfu: Double { utilization(hardwareFLOPs) }
  /// How ``mfu`` and ``hfu`` count.
  public static let formula =
    "FLOPs of matrix products and attention (half of the square under a causal mask, backward as its kernels compute "
    + "it) of one device's step, with those computed again for HFU, / (expected seconds x dense peak)"

  /// Adds the time in which the device waits for other stages of a pipeline.
  mutating func wait(_ bubble: Double) throws(PlanError) {
    guard expected.value > 0 else { return }
    let factor = 1 + bubble / expected.value
    recomputeFraction /= factor
    low = try Seconds(low.value * factor)
    high = try Seconds(high.value * factor)
    expected = try Seconds(expected.value + bubble)
    parts.append(Part(key: "bubble", seconds: bubble))
  }

  private func utilization(_ flops: Double) -> Double {
    peak > 0 && expected.value > 0 ? flops / expected.value / peak : 0
  }
}

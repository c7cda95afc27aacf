/// How long one optimizer step takes, estimated, with the range to expect.
public struct StepTime: Hashable, Sendable {
  /// The step where everything goes as well as it was seen to go on such a device.
  public var low: Seconds
  /// The step that is expected.
  public var expected: Seconds
  /// The step where it goes as badly as it was seen to go.
  public var high: Seconds

  /// Orders three durations.
  public init(low: Seconds, expected: Seconds, high: Seconds) {
    (self.low, self.expected, self.high) = (low, expected, high)
  }
}

/// A duration, estimated.
public struct Seconds: Hashable, Comparable, Sendable {
  /// The duration in seconds.
  public let value: Double

  /// Wraps a duration; throws when it is not a finite number of at least zero.
  public init(_ value: Double) throws(PlanError) {
    guard value.isFinite, value >= 0 else { throw .overflow("seconds", "\(value)") }
    self.value = value
  }

  /// Orders durations by length.
  public static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

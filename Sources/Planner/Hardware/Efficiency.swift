/// What a kind of device reaches of its data sheet in training, and how far runs lie apart.
public struct Efficiency: Hashable, Sendable {
  /// What each kind of kernel reaches.
  public var kernels: KernelEfficiency
  /// How it is known.
  public var basis: Basis
  /// The fastest and the slowest run to expect, in expected step times.
  public var range: ClosedRange<Double>
  /// Where it comes from.
  public var source: String

  /// How an efficiency is known.
  public enum Basis: String, Hashable, Sendable {
    /// From published training runs on such devices, which the tests list.
    case measured
    /// A judgement from devices of the same kind.
    case estimated
  }
}

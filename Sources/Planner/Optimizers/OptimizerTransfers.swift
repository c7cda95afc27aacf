/// What an optimizer moves between device and host for a parameter.
public struct OptimizerTransfers: Hashable, Sendable {
  /// Bytes to the host, for each micro-batch.
  public var toHost = 0
  /// Bytes to the device, for each step.
  public var toDevice = 0
  /// Elements that the host updates in each step.
  public var updatedOnHost = 0

  /// Nothing moves.
  public init() {}

  /// So much moves.
  public init(toHost: Int, toDevice: Int, updatedOnHost: Int) {
    self.toHost = toHost
    self.toDevice = toDevice
    self.updatedOnHost = updatedOnHost
  }
}

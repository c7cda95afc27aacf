/// The part of a layer that works on each token alone.
protocol FeedForward: Sendable {
  /// Runs it.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value
}

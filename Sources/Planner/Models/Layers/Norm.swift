/// A normalization of rows.
protocol Norm: Sendable {
  /// Runs it.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value
}

/// The part of a layer in which tokens see each other.
protocol SelfAttention: Sendable {
  /// Runs it; the weights come back where attention materialised them.
  func callAsFunction(_ x: Value, _ around: RotaryAttention.Surroundings, in f: inout Forward)
    throws(PlanError) -> (output: Value, weights: Value?)
}

/// The MLP of two projections with an activation between them, and a dropout after them.
///
/// Source: `GPT2MLP.forward`, `GPTNeoXMLP.forward`, `PhiMLP.forward`, `Starcoder2MLP.forward`, transformers 5.17.
struct PlainMLP: Sendable {
  let first: Linear
  let second: Linear
  let activation: Activation
  var dropout = false

  /// Runs the MLP: `hidden_states` is bound again by every step.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("mlp", holding: x)
    var hidden = f.local(try f.project(x, first))
    hidden = f.local(try f.activate(hidden, activation), replacing: hidden)
    hidden = f.local(try f.project(hidden, second), replacing: hidden)
    if dropout { hidden = f.local(f.dropout(hidden), replacing: hidden) }
    return f.leave(hidden)
  }
}

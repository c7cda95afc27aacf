/// The gated MLP: `down(activation(gate(x)) * up(x))`.
///
/// Source: `LlamaMLP.forward`, transformers 5.17.
struct GatedMLP: FeedForward {
  let gate: Linear
  let up: Linear
  let down: Linear
  let activation: Activation

  /// Declares the three projections.
  init(
    hidden: Int, intermediate: Int, bias: Bool, activation: Activation = .silu,
    in f: inout Forward
  ) throws(PlanError) {
    self.activation = activation
    gate = try f.linear(
      "gate_proj", weight: "mlp.gate_proj.weight", bias: bias ? "mlp.gate_proj.bias" : nil,
      input: hidden, output: intermediate, cut: .columns)
    up = try f.linear(
      "up_proj", weight: "mlp.up_proj.weight", bias: bias ? "mlp.up_proj.bias" : nil,
      input: hidden, output: intermediate, cut: .columns)
    down = try f.linear(
      "down_proj", weight: "mlp.down_proj.weight", bias: bias ? "mlp.down_proj.bias" : nil,
      input: intermediate, output: hidden, cut: .rows)
  }

  /// An MLP of declared projections.
  init(gate: Linear, up: Linear, down: Linear, activation: Activation) {
    (self.gate, self.up, self.down, self.activation) = (gate, up, down, activation)
  }

  /// Runs the MLP.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    let x = try f.moduleInput(x)
    f.enter("mlp", holding: x)
    let product = try f.context.kernelSet.layers.gate(x, self, in: &f)
    return f.leave(f.local(try f.project(product, down)))
  }
}

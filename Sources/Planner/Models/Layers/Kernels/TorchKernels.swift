/// PyTorch's own kernels: each part as `transformers` writes it.
struct TorchKernels: LayerKernels {
  var families: [String]? { nil }
  var loss: (any CausalLoss)? { nil }

  func norm(_ x: Value, _ norm: RMSNorm, in f: inout Forward) throws(PlanError) -> Value {
    try norm.written(x, in: &f)
  }

  func rotate(
    _ q: Value, _ k: Value, _ tables: RotaryTables, layout: GradientLayout, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    try RotaryEmbedding.apply(
      q, k, cos: tables.cos, sin: tables.sin, form: tables.form, in: &f)
  }

  func gate(_ x: Value, _ mlp: GatedMLP, in f: inout Forward) throws(PlanError) -> Value {
    let gated = try f.activate(try f.project(x, mlp.gate), mlp.activation)
    return try f.multiply(gated, try f.project(x, mlp.up))
  }
}

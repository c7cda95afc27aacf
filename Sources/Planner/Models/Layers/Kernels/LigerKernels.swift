/// Liger's fused kernels for the Llama lineage.
///
/// Source: `apply_liger_kernel_to_llama`, `…_mistral`, `…_qwen2` and `…_qwen3` in
/// `liger_kernel/transformers/monkey_patch.py`, liger-kernel 0.8.5.
struct LigerKernels: LayerKernels {
  static let familyNames = ["llama", "mistral", "qwen2", "qwen3"]

  var families: [String]? { Self.familyNames }
  var loss: (any CausalLoss)? { FusedLinearLoss() }

  func norm(_ x: Value, _ norm: RMSNorm, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(norm.module, holding: x)
    return f.leave(try f.ligerNorm(x, norm.weight.value))
  }

  func rotate(
    _ q: Value, _ k: Value, _ tables: RotaryTables, layout: GradientLayout, in f: inout Forward
  ) throws(PlanError) -> (Value, Value) {
    f.enter("apply_rotary_pos_emb", holding: q, k)
    let (a, b) = f.ligerRotate(
      q, k, saving: tables.cos, tables.sin, copiesQuery: layout.copiesQuery,
      copiesKey: layout.copiesKey)
    return f.leave(a, b)
  }

  /// Source: `LigerSwiGLUMLP.forward` in `liger_kernel/transformers/swiglu.py`.
  func gate(_ x: Value, _ mlp: GatedMLP, in f: inout Forward) throws(PlanError) -> Value {
    guard mlp.gate.bias == nil, mlp.up.bias == nil, mlp.down.bias == nil else {
      throw .biasedMLP
    }
    guard mlp.activation == .silu else { throw .otherActivation(mlp.activation) }
    let gate = try f.project(x, mlp.gate)
    f.enter("mlp", holding: gate)
    let up = f.local(try f.project(x, mlp.up))
    return f.leave(try f.ligerGate(gate, up))
  }
}

extension PlanError {
  fileprivate static var biasedMLP: Self {
    Self(
      .unsupported, "Liger's MLP has no biases, this model's has", path: "kernels",
      fix: "Use \"torch\" kernels, or set mlp_bias of the model to false.")
  }

  fileprivate static func otherActivation(_ activation: Activation) -> Self {
    Self(
      .unsupported, "Liger's MLP runs silu, this model's \(activation.rawValue)", path: "kernels",
      fix: "Use \"torch\" kernels, or set hidden_act of the model to silu.")
  }
}

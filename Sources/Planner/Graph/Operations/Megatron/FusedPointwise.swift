/// Megatron's fused elementwise kernels.
///
/// Source: `megatron/core/fusions/fused_bias_dropout.py`, `fused_bias_gelu.py`, `fused_bias_swiglu.py`,
/// `megatron/core/activations.py`, core 0.16.1. They are compiled (`torch.compile`): each is one kernel.
extension Forward {
  /// `residual + dropout(x + bias)`; saves a mask of one byte an element where something is dropped.
  mutating func biasDropoutAdd(
    _ x: Value, bias: Parameter?, residual: Value, drops: Bool
  ) throws(PlanError) -> Value {
    guard context.megatron.fusesBiasDropout else {
      let biased = try bias.map { (bias) throws(PlanError) in try add(x, bias.value) } ?? x
      return try add(residual, drops ? dropout(biased) : biased)
    }
    begin("bias_dropout_add", x, bias?.value, residual)
    work(flops: 0, bytes: 3 * x.spec.bytes, dtype: x.spec.dtype)
    if drops { gradient(0, x.spec) } else { pass(0) }
    if let bias { gradient(1, bias.value.spec, role: .gradients) }
    pass(bias == nil ? 1 : 2)
    let output = register(x.spec)
    record()
    guard drops else {
      allocate(output)
      link(output)
      return output
    }
    let mask = register(x.spec.cast(to: .bool))
    allocate(mask)
    allocate(output)
    link(output, saving: 0, and: [mask])
    return output
  }

  /// An activation of what a first matrix made, its bias included: one kernel that saves its input.
  ///
  /// A gated one halves the columns. The bias's gradient is summed from the input's. Legacy models have no kernel for
  /// gated ones (`ParallelMLP` in `megatron/model/transformer.py`, 2023): bias, SiLU and product each make a tensor.
  mutating func fusedActivation(_ x: Value, bias: Parameter?, gated: Bool) throws(PlanError)
    -> Value
  {
    if gated, context.megatron.usesLegacyModels { return try legacyGate(x, bias) }
    let spec = gated ? try TensorSpec(x.spec.rows, x.spec.columns / 2, x.spec.dtype) : x.spec
    begin(gated ? "bias_swiglu" : "bias_gelu", x, bias?.value)
    save(x, for: .max)
    work(flops: 0, bytes: x.spec.bytes + spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    if let bias { gradient(1, bias.value.spec, role: .gradients) }
    return end(spec)
  }

  private mutating func legacyGate(_ x: Value, _ bias: Parameter?) throws(PlanError) -> Value {
    let biased = try bias.map { (bias) throws(PlanError) in
      local(try add(x, bias.value), replacing: x)
    }
    enter("swiglu", holding: biased ?? x)
    let (gate, up) = try halves(biased ?? x)
    let (first, second) = (local(gate), local(up))
    return leave(try multiply(silu(first), second))
  }

  /// Transformer Engine's fused rotary embedding: a new tensor forward and backward; its table stays.
  mutating func fusedRotary(_ x: Value) -> Value {
    begin("fused_rope", x)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    return end(x.spec)
  }
}

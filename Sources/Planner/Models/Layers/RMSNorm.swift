/// The root-mean-square norm of `transformers`: computed in fp32, scaled by a weight in the model's format.
///
/// Source: `LlamaRMSNorm`, `Olmo2RMSNorm`, `GemmaRMSNorm` and `T5LayerNorm`, `forward`, transformers 5.17.
struct RMSNorm: Norm {
  /// When the weight comes in.
  enum Form: Sendable {
    /// `weight * x̂.to(dtype)`: Llama.
    case afterCast
    /// `(weight * x̂).to(dtype)`: OLMo 2.
    case beforeCast
    /// `(x̂ * (1 + weight.float())).to(dtype)`: Gemma.
    case offset
    /// `weight * (x * rsqrt(…)).to(weight.dtype)`, where only the variance is computed from a copy in fp32: T5.
    case narrow
  }

  let module: StaticString
  let weight: Parameter
  let form: Form

  /// Declares the weight.
  init(
    _ module: StaticString, weight name: StaticString, width: Int, form: Form = .afterCast,
    in forward: inout Forward
  ) throws(PlanError) {
    self.module = module
    self.form = form
    weight = try forward.parameter(name, 1, width)
  }

  /// Runs `weight * (x · rsqrt(mean(x²) + ε))` with the kernels of the scenario; over a cut sequence on `DTensor`s.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    guard f.context.mesh.cutsSequence else {
      return try f.context.kernelSet.layers.norm(x, self, in: &f)
    }
    f.markRedistributed(weight)
    let local = f.wrapped(x)
    return try f.wrapping { (f) throws(PlanError) in
      try f.context.kernelSet.layers.norm(local, self, in: &f)
    }
  }

  /// The norm as `transformers` writes it.
  func written(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    if form == .offset { return try offset(x, in: &f) }
    if form == .narrow { return try narrow(x, in: &f) }
    f.enter(module, holding: x)
    var hidden = f.local(f.cast(x, to: .fp32))
    let variance = f.local(f.meanOfRows(f.square(hidden)))
    let normalized = try f.multiply(hidden, f.reciprocalRoot(f.addConstant(variance)))
    hidden = f.local(normalized, replacing: hidden)
    if form == .beforeCast {
      return f.leave(f.cast(try f.multiply(weight.value, hidden), to: x.spec.dtype))
    }
    return f.leave(try f.multiply(weight.value, f.cast(hidden, to: x.spec.dtype)))
  }

  private func narrow(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(module, holding: x)
    let variance = f.local(f.meanOfRows(f.square(f.cast(x, to: .fp32))))
    var hidden = f.local(try f.multiply(x, f.reciprocalRoot(f.addConstant(variance))))
    let format = weight.value.spec.dtype
    if format != .fp32, hidden.spec.dtype != format {
      hidden = f.local(f.cast(hidden, to: format), replacing: hidden)
    }
    return f.leave(try f.multiply(weight.value, hidden))
  }

  private func offset(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(module, holding: x)
    let wide = f.cast(x, to: .fp32)
    f.enter(module, holding: wide)
    let root = f.reciprocalRoot(f.addConstant(f.meanOfRows(f.square(wide))))
    var output = f.local(f.leave(try f.multiply(wide, root)))
    let factor = f.addConstant(f.cast(weight.value, to: .fp32, role: .gradients))
    output = f.local(try f.multiply(output, factor), replacing: output)
    return f.leave(f.cast(output, to: x.spec.dtype))
  }
}

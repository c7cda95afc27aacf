/// The root-mean-square norm of `transformers`: computed in fp32, scaled by a weight in the model's format.
///
/// Source: `LlamaRMSNorm.forward`, transformers 5.17.
struct RMSNorm: Sendable {
  let module: StaticString
  let weight: Parameter

  /// Declares the weight.
  init(
    _ module: StaticString, weight name: StaticString, width: Int, in forward: inout Forward
  ) throws(PlanError) {
    self.module = module
    weight = try forward.parameter(name, 1, width)
  }

  /// Runs `weight * (x · rsqrt(mean(x²) + ε))`.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(module, holding: x)
    var hidden = f.local(f.cast(x, to: .fp32))
    let variance = f.local(f.meanOfRows(f.square(hidden)))
    let normalized = try f.multiply(hidden, f.reciprocalRoot(f.addConstant(variance)))
    hidden = f.local(normalized, replacing: hidden)
    return f.leave(try f.multiply(weight.value, f.cast(hidden, to: x.spec.dtype)))
  }
}

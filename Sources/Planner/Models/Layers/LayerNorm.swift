/// A layer norm with weight and bias.
struct LayerNorm: Sendable {
  let module: StaticString
  let weight: Parameter
  let bias: Parameter?

  /// Declares the weight and the bias.
  init(
    _ module: StaticString, weight name: StaticString, bias: StaticString?, width: Int,
    in f: inout Forward
  ) throws(PlanError) {
    self.module = module
    weight = try f.parameter(name, 1, width)
    self.bias = try bias.map { (name) throws(PlanError) in try f.parameter(name, 1, width) }
  }

  /// Runs the norm.
  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter(module, holding: x)
    return f.leave(try f.layerNorm(x, weight: weight, bias: bias))
  }
}

/// The adapter of DoRA: a low-rank update whose rows are scaled to trained norms.
///
/// Each forward makes the update as a whole matrix, from an identity matrix that goes through the adapter, and the
/// norms of the rows of the sum with the frozen weight. Both are constants to autograd.
///
/// Source: Liu et al. 2024, arXiv:2402.09353; `DoraLinearLayer` in `peft/tuners/lora/dora.py` and
/// `DoraLinearVariant` in `variants.py`, PEFT 0.21.
struct WeightDecomposition {
  let linear: Linear
  let adapter: AdapterWeights
  let magnitude: Parameter

  /// Computes `result + (m/‖W + sBA‖ − 1) · result + m/‖W + sBA‖ · s · B(A(x))`.
  ///
  /// - Parameter dropout: Whether the adapter's input is dropped out; the frozen product is then made again from it.
  func callAsFunction(_ x: Value, _ result: Value, dropout: Bool, in f: inout Forward)
    throws(PlanError) -> Value
  {
    f.enter(linear.module, holding: x, result)
    let input = dropout ? f.local(f.dropout(x)) : x
    f.enter("lora_magnitude_vector", holding: input, result)
    let update = try update(like: input, in: &f)
    let weight = f.local(try weight(like: input, in: &f))
    let norms = f.local(try norms(weight, update, in: &f))
    let scale = f.local(try f.divide(magnitude.value, norms))
    f.enter("lora_A", holding: input)
    let down = f.leave(try f.product(input, adapter.down))
    f.enter("lora_B", holding: down)
    let low = f.local(f.leave(try f.product(down, adapter.up)))
    var base = result
    if dropout {
      base = f.local(try f.product(input, constant(weight)))
    } else if let bias = linear.bias {
      base = f.local(try f.subtract(result, bias.value))
    }
    let straight = try f.multiply(f.addConstant(scale), base)
    let turned = f.scale(try f.multiply(scale, low))
    let output = f.leave(try f.add(straight, turned))
    return f.leave(try f.add(result, output))
  }

  /// `lora_B(lora_A(identity)).T`; its graph lives as long as it does, though nothing runs back through it.
  private func update(like x: Value, in f: inout Forward) throws(PlanError) -> Value {
    let columns = adapter.down.value.spec.columns
    let format = adapter.down.value.spec.dtype
    let identity = f.local(
      f.plain("eye", try TensorSpec(columns, columns, format), role: .activations))
    let operand = f.castForProduct(identity)
    _ = f.kept(operand)
    let down = try f.constantProduct(operand, columns: adapter.down.value.spec.rows)
    _ = f.kept(down)
    let up = f.local(try f.constantProduct(down, columns: adapter.up.value.spec.rows))
    f.forget(identity)
    return f.local(f.cast(up, to: x.spec.dtype), replacing: up)
  }

  /// The frozen weight in the format of `x`.
  private func weight(like x: Value, in f: inout Forward) throws(PlanError) -> Value {
    guard let quantization = linear.quantization else {
      return f.cast(linear.weight.value, to: x.spec.dtype)
    }
    return f.cast(try quantization.dequantized(linear.weight, in: &f), to: x.spec.dtype)
  }

  /// `torch.linalg.norm(weight + scaling * update, dim=1)`.
  private func norms(_ weight: Value, _ update: Value, in f: inout Forward) throws(PlanError)
    -> Value
  {
    let scaled = f.plain("mul", update.spec, role: .activations)
    let sum = f.plain("add", weight.spec, role: .activations)
    f.discard(scaled)
    let norms = f.plain(
      "linalg_vector_norm", try TensorSpec(1, weight.spec.rows, weight.spec.dtype),
      role: .activations)
    f.discard(sum)
    return norms
  }

  private func constant(_ weight: Value) -> Parameter {
    Parameter(name: "weight", value: weight, trainable: false)
  }
}

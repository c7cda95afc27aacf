/// What Megatron's mixtures of experts run beside dense products.
///
/// Source: `megatron/core/transformer/moe/router.py`, `moe_utils.py`, `token_dispatcher.py`, core 0.16.1;
/// `transformer_engine/pytorch/module/grouped_linear.py`, Transformer Engine 2.
extension Forward {
  /// The router: logits, the softmax over the chosen ones, and what each token gives to each expert.
  ///
  /// Saved are the input, the places and probabilities of the choices, and the map of tokens to experts.
  mutating func routing(_ x: Value, _ weight: Parameter, choices: Int) throws(PlanError) -> Value {
    program.routes = true
    let experts = weight.value.spec.rows
    let all = try TensorSpec(x.spec.rows, experts, x.spec.dtype)
    let chosen = try TensorSpec(x.spec.rows, choices, .fp32)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, experts)
    begin("router", x, weight.value)
    save(x, for: 0b10)
    save(weight.value, for: 0b01)
    work(flops: flops, bytes: x.spec.bytes + 4 * all.bytes, dtype: x.spec.dtype)
    temporary(0, all.bytes)
    gradient(0, x.spec, flops: flops)
    gradient(1, weight.value.spec, role: .gradients, flops: flops)
    free(0)
    let output = register(all)
    record()
    let logits = register(all)
    allocate(logits)
    let places = register(chosen.cast(to: .int64))
    allocate(places, role: .other)
    let scores = register(chosen)
    allocate(scores)
    let narrow = register(chosen.cast(to: x.spec.dtype))
    allocate(narrow)
    allocate(output)
    let counts = register(all.cast(to: .int32))
    allocate(counts, role: .other)
    let map = register(all.cast(to: .bool))
    allocate(map, role: .other)
    discard(counts)
    discard(logits)
    discard(narrow)
    link(output, keeping: [places, scores, map])
    for value in [places, scores, map] { discard(value) }
    return output
  }

  /// Rows of the tokens in the order of their experts, and the probability of each; saves the order.
  mutating func permuted(_ x: Value, _ probabilities: Value, rows: Int) throws(PlanError)
    -> (rows: Value, probabilities: Value)
  {
    let spec = try TensorSpec(rows, x.spec.columns, x.spec.dtype)
    let order = register(try TensorSpec(rows, 1, .int64))
    begin("permute", x)
    work(flops: 0, bytes: 2 * spec.bytes, dtype: spec.dtype)
    gradient(0, x.spec)
    let output = register(spec)
    record()
    allocate(order, role: .other)
    allocate(output)
    link(output, and: order)
    begin("permute_probabilities", probabilities)
    work(flops: 0, bytes: probabilities.spec.bytes, dtype: spec.dtype)
    gradient(0, probabilities.spec)
    return (output, end(try TensorSpec(rows, 1, probabilities.spec.dtype)))
  }

  /// Rows that are sent, sorted, gathered or summed into a new tensor; backward the same way back.
  mutating func exchanged(_ x: Value, _ name: StaticString, rows: Int) throws(PlanError)
    -> Value
  {
    begin(name, x)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    return end(try TensorSpec(rows, x.spec.columns, x.spec.dtype))
  }

  /// One product for each expert over its rows: saves all rows; weights lie side by side.
  mutating func expertProduct(_ x: Value, _ weight: Parameter, columns: Int) throws(PlanError)
    -> Value
  {
    markMultiplied(weight)
    let spec = try TensorSpec(x.spec.rows, columns, x.spec.dtype)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, columns)
    begin("grouped_linear", x, weight.value)
    save(x, for: 0b10)
    save(weight.value, for: 0b01)
    work(flops: flops, bytes: x.spec.bytes + spec.bytes, dtype: spec.dtype)
    gradient(0, x.spec, flops: flops)
    weightGradient(1, weight, flops: flops)
    return end(spec)
  }

  /// An activation times the probability of each row.
  ///
  /// A gated one is one kernel that saves its input and the probabilities. Without a gate the activation's result is
  /// saved for the product, which runs in fp32.
  mutating func weightedActivation(_ x: Value, _ probability: Value, gated: Bool) throws(PlanError)
    -> Value
  {
    guard !gated else {
      let spec = try TensorSpec(x.spec.rows, x.spec.columns / 2, x.spec.dtype)
      begin("weighted_swiglu", x, probability)
      save(x, for: .max)
      save(probability, for: .max)
      work(flops: 0, bytes: x.spec.bytes + spec.bytes, dtype: x.spec.dtype)
      gradient(0, x.spec)
      gradient(1, probability.spec)
      return end(spec)
    }
    let active = local(try fusedActivation(x, bias: nil, gated: false))
    let weighted = try multiply(active, probability)
    forget(active)
    return weighted
  }
}

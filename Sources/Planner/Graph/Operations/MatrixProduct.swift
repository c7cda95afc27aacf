/// A linear projection `y = x Wᵀ + b` with its weights, and an adapter if a strategy added one.
struct Linear: Sendable {
  /// The module's name: `q_proj`.
  let module: StaticString
  /// The weight, `[out, in]`.
  let weight: Parameter
  /// The bias, `[out]`.
  let bias: Parameter?
  /// How the weight is quantized, or `nil` for a plain one.
  var quantization: (any QuantizedWeight)?
  /// Low-rank weights beside it.
  var adapter: AdapterWeights?
  /// How the module writes the product.
  var form = Form.linear
  /// What of the weight this device has.
  var cut = Cut.whole
  /// Whether its input has two dimensions, so that DeepSpeed's linear layer adds the bias in the product's kernel.
  var takesMatrix = false

  /// What of a weight one of several devices has that share it.
  enum Cut: Sendable {
    /// All of it.
    case whole
    /// Some of its outputs.
    case columns
    /// Some of its inputs: the devices' results are added up.
    case rows
    /// Some of its outputs, which the devices then gather (`colwise_gather_output`).
    case gatheredColumns
    /// Some of its inputs, out of whole rows (`rowwise_split_input`).
    case splitRows
  }

  /// How a module writes `x Wᵀ + b`.
  enum Form: Sendable {
    /// `F.linear(x, W, b)`.
    case linear
    /// `torch.addmm(b, x, W)` with the weight transposed: GPT-2's `Conv1D`.
    case addmm
    /// `x @ W.T + b`: Falcon's linear layers. Autocast does not keep its cast of `W.T`.
    case matmul
  }

  /// Elements of an input row.
  var input: Int { weight.value.spec.columns }
  /// Elements of an output row.
  var output: Int { weight.value.spec.rows }
}

/// Matrix products and their backward rules.
extension Forward {
  /// Declares a projection; a strategy may put an adapter beside it.
  ///
  /// - Parameters:
  ///   - quantizes: Whether a quantized model's projection is quantized as well.
  ///   - cut: What of it this device has. With ``Linear/Cut/columns`` `output` is this device's part, with
  ///     ``Linear/Cut/rows`` `input` is; where outputs are gathered or inputs split both are whole.
  mutating func linear(
    _ module: StaticString, weight: StaticString, bias: StaticString? = nil, input: Int,
    output: Int, form: Linear.Form = .linear, quantizes: Bool = true, cut: Linear.Cut = .whole
  ) throws(PlanError) -> Linear {
    let quantization = form == .matmul || !quantizes ? nil : context.quantization
    let ranks = cut == .whole ? 1 : context.mesh.tensor
    let rows = cut == .gatheredColumns ? try Self.part(output, of: module, ranks) : output
    let columns = cut == .splitRows ? try Self.part(input, of: module, ranks) : input
    let whole = ranks > 1 ? try checkedProduct(rows, columns, ranks) : nil
    let weight = try parameter(weight, rows, columns, quantized: quantization, whole: whole)
    var linear = Linear(
      module: module, weight: weight,
      bias: try bias.map { (name) throws(PlanError) in
        try parameter(
          name, 1, output, dtype: quantization?.biasFormat,
          whole: ranks > 1 && cut == .columns ? output &* ranks : nil)
      })
    linear.form = form
    linear.cut = ranks > 1 ? cut : .whole
    linear.quantization = quantization
    linear.adapter = try context.adapter?.adapter(
      for: module, input: input, output: output, cut: linear.cut, in: &self)
    return linear
  }

  private static func part(_ width: Int, of module: StaticString, _ ranks: Int) throws(PlanError)
    -> Int
  {
    guard width % ranks == 0 else {
      throw PlanError(
        .invalid, "\(width) columns of \(module) cannot be cut into \(ranks) equal parts",
        path: "strategies.tensor_parallel.degree",
        fix: "Choose a degree that divides \(width).")
    }
    return width / ranks
  }

  /// Runs a projection, with its adapter if it has one.
  mutating func project(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    if linear.adapter != nil, let adapter = context.adapter {
      return try adapter.project(x, through: linear, in: &self)
    }
    return try projectAlone(x, linear)
  }

  /// Runs a projection without its adapter, with what devices that cut it exchange.
  mutating func projectAlone(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    switch linear.cut {
    case .whole: return try product(x, linear)
    case .columns: return try columnProduct(x, linear)
    case .rows: return try rowProduct(x, linear)
    case .gatheredColumns: return try gatheredProduct(x, linear)
    case .splitRows: return try splitProduct(x, linear)
    }
  }

  /// Runs a projection without its adapter.
  mutating func product(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    if let quantization = linear.quantization {
      return try quantization.product(x, linear, in: &self)
    }
    if multipliesInFloat8(linear) { return try float8Product(x, linear) }
    if linear.takesMatrix, linear.bias != nil { program.addsBias = true }
    let (weight, module, form) = (linear.weight, linear.module, linear.form)
    guard form == .matmul, let bias = linear.bias else {
      return try product(
        x, weight, bias: linear.bias, module: module, form: form, takesMatrix: linear.takesMatrix)
    }
    return try add(try product(x, weight, module: module, form: form), bias.value)
  }

  /// Computes `x Wᵀ + b`; under autocast its arguments are cast first, the last one first.
  ///
  /// The input is saved if the weight is trained, the weight if the input needs a gradient. Without a bias the
  /// weight's gradient is made before the input's; with one after, and validation sums the bias's over the rows.
  mutating func product(
    _ x: Value, _ weight: Parameter, bias: Parameter? = nil, module: StaticString? = nil,
    form: Linear.Form = .linear, takesMatrix: Bool = false
  ) throws(PlanError) -> Value {
    if form != .addmm { markMultiplied(weight) }
    if context.savesLinearInputs, context.autocast != nil, form == .linear {
      return try castingProduct(x, weight, bias: bias, module: module, takesMatrix: takesMatrix)
    }
    var castBias = form == .addmm ? nil : bias.map { castForProduct($0) }
    let w = castForProduct(weight, keeps: form != .matmul)
    let x = castForProduct(x)
    if form == .addmm { castBias = bias.map { castForProduct($0) } }
    let bias = castBias
    let spec = try TensorSpec(x.spec.rows, w.spec.rows, x.spec.dtype)
    let flops = try checkedProduct(2, x.spec.rows, x.spec.columns, w.spec.rows)
    begin(bias == nil ? "mm" : "addmm", module: module, x, w, bias)
    save(x, for: context.savesLinearInputs && form == .linear ? 0b11 : 0b10)
    save(w, for: 0b01, transposed: form != .addmm)
    work(
      flops: flops, bytes: x.spec.bytes + w.spec.bytes + spec.bytes, dtype: spec.dtype)
    if let bias {
      // DeepSpeed's linear layer adds the bias in place.
      if !context.savesLinearInputs || form != .linear { program.addsBias = true }
      gradient(0, x.spec, view: true, flops: flops)
      productScratch(0, x.spec)
      gradient(1, w.spec, view: true, role: .gradients, flops: flops)
      productScratch(1, w.spec)
      pass(2)
      settle()
      reduce(
        2, to: bias.spec,
        workspace: ColumnSum.workspace(
          rows: spec.rows, columns: spec.columns, on: context.kernels), role: .gradients)
    } else {
      gradient(1, w.spec, view: true, role: .gradients, flops: flops)
      productScratch(1, w.spec)
      gradient(0, x.spec, view: true, flops: flops)
      productScratch(0, x.spec)
    }
    return try endProduct(spec)
  }

  /// A product of a tensor that needs no gradient with a weight, whose result is a constant too.
  mutating func constantProduct(_ a: Value, columns: Int) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.rows, columns, a.spec.dtype)
    begin("mm", a)
    work(
      flops: try checkedProduct(2, a.spec.elements, columns), bytes: a.spec.bytes + spec.bytes,
      dtype: spec.dtype)
    return end(spec)
  }

  /// `a @ b` over a batch of matrices: `[count·m, k] × [count·k, n]`, both saved.
  ///
  /// The gradient of the second operand is made first. Autocast's casts, if any, come before. `transposed` says that the
  /// second operand lies in another order in memory than its shape.
  mutating func batchedProduct(
    _ a: Value, _ b: Value, columns: Int, inner: Int, transposed: Bool = false
  ) throws(PlanError) -> Value {
    let spec = try TensorSpec(a.spec.elements / max(inner, 1), columns, a.spec.dtype)
    let flops = try checkedProduct(2, a.spec.elements, columns)
    begin("bmm", a, b)
    save(b, for: 0b01, transposed: transposed)
    save(a, for: 0b10)
    work(
      flops: flops, bytes: a.spec.bytes + b.spec.bytes + spec.bytes, dtype: spec.dtype)
    gradient(1, b.spec, view: true, flops: flops)
    gradient(0, a.spec, view: true, flops: flops)
    return end(spec)
  }

  /// `baddbmm(bias, a, b)` with a scale: scores with a bias that wants no gradient.
  ///
  /// The gradient of the first operand is made first; each is scaled into a second tensor.
  mutating func biasedProduct(
    _ bias: Value, _ a: Value, _ b: Value, columns: Int, inner: Int
  ) throws(PlanError) -> Value {
    let b = castForProduct(b)
    let a = castForProduct(a)
    let castBias = castForProduct(bias)
    let spec = try TensorSpec(a.spec.elements / max(inner, 1), columns, a.spec.dtype)
    let flops = try checkedProduct(2, a.spec.elements, columns)
    begin("baddbmm", a, b)
    save(a, for: 0b10)
    save(b, for: 0b01)
    work(flops: flops, bytes: a.spec.bytes + b.spec.bytes + spec.bytes, dtype: spec.dtype)
    temporary(0, a.spec.bytes, for: 0b01)
    gradient(0, a.spec, flops: flops)
    free(0, for: 0b01)
    temporary(0, b.spec.bytes, for: 0b10)
    gradient(1, b.spec, flops: flops)
    free(0, for: 0b10)
    let output = end(spec)
    if castBias != bias { discard(castBias) }
    return output
  }

  /// Autocast's cast of an activation.
  mutating func castForProduct(_ x: Value) -> Value {
    guard let autocast = context.autocast, x.spec.dtype == .fp32 else { return x }
    return cast(x, to: autocast)
  }

  /// A weight as autocast casts it for several products: one cast, a name of the current frame, where it is kept.
  mutating func castOnce(_ weight: Parameter) -> Parameter {
    guard context.autocast != nil, context.cachesCasts, weight.trainable,
      weight.value.spec.dtype == .fp32
    else {
      return weight
    }
    let copy = local(castForProduct(weight))
    return Parameter(name: weight.name, value: copy, trainable: weight.trainable)
  }

  /// Autocast's cast of a weight: a trained fp32 weight is cast once and kept until the region ends.
  mutating func castForProduct(_ weight: Parameter, keeps: Bool = true) -> Value {
    guard let autocast = context.autocast, weight.value.spec.dtype == .fp32 else {
      return weight.value
    }
    begin("to", weight.value)
    work(
      flops: 0, bytes: weight.value.spec.bytes + weight.value.spec.cast(to: autocast).bytes,
      dtype: autocast)
    gradient(0, weight.value.spec, role: .gradients)
    let copy = end(weight.value.spec.cast(to: autocast), role: .parameters)
    if weight.trainable, keeps, context.cachesCasts { cache(copy) }
    return copy
  }
}

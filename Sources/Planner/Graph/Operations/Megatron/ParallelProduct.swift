/// How tensor parallelism cuts a matrix `[out, in]`.
enum MatrixCut: Hashable, Sendable {
  /// Each device has some of its outputs.
  case column
  /// Each device has some of its inputs; the products are summed.
  case row
}

/// Linear layers of Megatron's core and of Transformer Engine, and what their backward makes.
///
/// With sequence parallelism a column-cut matrix gathers its input, and gathers it again in backward; a row-cut one
/// scatters its sum, and gathers its gradient. Gathered tensors of Megatron's own layers lie in one buffer that stays.
///
/// Source: `LinearWithGradAccumulationAndAsyncCommunication` in `megatron/core/tensor_parallel/layers.py`, core 0.16.1;
/// `_Linear` and `_LayerNormLinear` in `transformer_engine/pytorch/module`, Transformer Engine 2.
extension Forward {
  /// `x Wᵀ + b`; saves the input and the weight.
  ///
  /// - Parameter cut: How the matrix is cut; `nil` where every device has all of it.
  /// - Parameter isOwn: Whether it is Megatron's own layer, under whichever implementation: the output layer.
  mutating func parallelProduct(
    _ x: Value, _ weight: Parameter, bias: Parameter? = nil, cut: MatrixCut?, isOwn: Bool = false
  ) throws(PlanError) -> Value {
    markMultiplied(weight)
    let w = weight.value.spec
    let sizes = try ProductSizes(x.spec, w, cut, context.mesh)
    let isOwn = isOwn || context.megatron.implementation == .local
    let gathers = sizes.gathersInput && !isOwn
    begin("parallel_linear", x, weight.value, bias?.value)
    exchange(sizes.exchange, backward: sizes.backwardExchange)
    save(x, for: 0b10)
    save(weight.value, for: 0b01)
    work(flops: sizes.flops, bytes: x.spec.bytes + w.bytes + sizes.product.bytes, dtype: w.dtype)
    if sizes.scattersOutput { temporary(0, sizes.product.bytes, role: .communication) }
    if gathers { temporary(1, sizes.input.bytes, role: .communication) }
    inputGradient(sizes, x)
    weightGradient(1, weight, flops: sizes.flops)
    if let bias { gradient(2, bias.value.spec, role: .gradients) }
    if sizes.gathersInput { free(2) }
    if gathers { free(1) }
    if sizes.scattersOutput { free(0) }
    record()
    let output = try runProduct(sizes, gathers: gathers, addsBias: isOwn && bias != nil)
    link(output)
    return output
  }

  /// A norm and the product with what it made, as one function; saves input, statistics, normed input and weight.
  mutating func normedProduct(
    _ x: Value, _ norm: MegatronNorm, _ weight: Parameter, bias: Parameter?
  ) throws(PlanError) -> Value {
    guard context.megatron.implementation == .transformerEngine else {
      return try parallelProduct(
        try self.norm(x, norm), weight, bias: bias, cut: .column)
    }
    markMultiplied(weight)
    let w = weight.value.spec
    let sizes = try ProductSizes(x.spec, w, .column, context.mesh)
    begin(
      "layernorm_linear", x, weight.value, norm.weight.value, norm.bias?.value, bias?.value)
    exchange(sizes.exchange, backward: sizes.backwardExchange)
    work(
      flops: sizes.flops, bytes: 3 * x.spec.bytes + w.bytes + sizes.product.bytes, dtype: w.dtype)
    if sizes.gathersInput { temporary(1, sizes.input.bytes, role: .communication) }
    temporary(2, sizes.input.bytes)
    if sizes.gathersInput { temporary(3, x.spec.bytes, role: .communication) }
    weightGradient(1, weight, flops: 2 &* sizes.flops)
    if let bias { gradient(4, bias.value.spec, role: .gradients) }
    if sizes.gathersInput { free(1) }
    gradient(0, x.spec)
    gradient(2, norm.weight.value.spec, role: .gradients)
    if let bias = norm.bias { gradient(3, bias.value.spec, role: .gradients) }
    free(2)
    if sizes.gathersInput { free(3) }
    record()
    let normed = register(x.spec)
    allocate(normed)
    let statistics = try normStatistics(x.spec, norm)
    for value in statistics { allocate(value) }
    let output = try runProduct(sizes, gathers: sizes.gathersInput, addsBias: false)
    link(output, keeping: [x, normed, weight.value] + statistics)
    discard(normed)
    for value in statistics { discard(value) }
    return output
  }

  /// A fused norm of its own: Transformer Engine's or Apex's, which keep fp32 statistics of each row.
  mutating func norm(_ x: Value, _ norm: MegatronNorm) throws(PlanError) -> Value {
    begin("fused_norm", x, norm.weight.value, norm.bias?.value)
    save(x, for: .max)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec)
    gradient(1, norm.weight.value.spec, role: .gradients)
    if let bias = norm.bias { gradient(2, bias.value.spec, role: .gradients) }
    let output = register(x.spec)
    record()
    allocate(output)
    let statistics = try normStatistics(x.spec, norm)
    for value in statistics { allocate(value) }
    link(output, saving: 0, and: statistics)
    return output
  }

  /// The reciprocal deviation of each row, and where there is a bias its mean too.
  private mutating func normStatistics(_ x: TensorSpec, _ norm: MegatronNorm) throws(PlanError)
    -> [Value]
  {
    let row = x.perRow.cast(to: .fp32)
    return norm.centers ? [register(row), register(row)] : [register(row)]
  }

  /// The forward's allocations.
  private mutating func runProduct(_ sizes: ProductSizes, gathers: Bool, addsBias: Bool)
    throws(PlanError) -> Value
  {
    let gathered = register(sizes.input)
    if gathers { allocate(gathered, role: .communication) }
    var product = register(sizes.product)
    allocate(product)
    if addsBias {
      let sum = register(sizes.product)
      allocate(sum)
      discard(product)
      product = sum
    }
    guard sizes.scattersOutput else {
      if gathers { discard(gathered) }
      return product
    }
    let part = register(sizes.output)
    allocate(part)
    discard(product)
    return part
  }

  /// The input's gradient: summed over devices in place, or scattered into a part.
  private mutating func inputGradient(_ sizes: ProductSizes, _ x: Value) {
    guard sizes.gathersInput else { return gradient(0, x.spec, flops: sizes.flops) }
    temporary(2, sizes.input.bytes)
    gradient(0, x.spec, role: .communication, flops: sizes.flops)
  }

  /// A weight's gradient; nothing where the product adds it to the fp32 buffer.
  mutating func weightGradient(_ index: UInt8, _ weight: Parameter, flops: Int) {
    let spec = weight.value.spec
    let rows = context.megatron.fusesGradientAccumulation ? 0 : spec.rows
    gradient(index, spec.withRows(rows), role: .gradients, flops: flops)
  }
}

/// What a norm of Megatron's scales and shifts by.
struct MegatronNorm: Sendable {
  let weight: Parameter
  /// LayerNorm's; RMSNorm has none.
  let bias: Parameter?
  /// Whether it subtracts the mean.
  var centers: Bool { bias != nil }
}

/// The sizes of one product on one of the devices that share it.
private struct ProductSizes {
  /// What is multiplied: all rows, gathered where they are cut.
  let input: TensorSpec
  /// What the product makes.
  let product: TensorSpec
  /// What is left of it once it was summed or scattered.
  let output: TensorSpec
  let flops: Int
  let gathersInput: Bool
  let scattersOutput: Bool
  /// What goes over the links forward, and backward.
  private(set) var exchange: Exchange?
  private(set) var backwardExchange: Exchange?

  init(_ x: TensorSpec, _ weight: TensorSpec, _ cut: MatrixCut?, _ mesh: Mesh) throws(PlanError) {
    let cuts = mesh.cutsSequence && mesh.tensor > 1
    gathersInput = cuts && cut == .column
    scattersOutput = cuts && cut == .row
    let rows = gathersInput ? try checkedProduct(x.rows, mesh.tensor) : x.rows
    input = try TensorSpec(rows, x.columns, x.dtype)
    product = try TensorSpec(rows, weight.rows, x.dtype)
    output = scattersOutput ? product.withRows(rows / mesh.tensor) : product
    flops = try checkedProduct(2, rows, weight.columns, weight.rows)
    guard mesh.tensor > 1, let cut else { return }
    func exchange(_ collective: Collective, _ whole: TensorSpec) -> Exchange {
      Exchange(collective: collective, payload: whole.bytes, ranks: mesh.tensor)
    }
    // Without sequence parallelism sums are all-reduced: a row-cut product's, a column-cut input's gradient. With it
    // the input is gathered again for its weight's gradient, which is not counted.
    switch cut {
    case .column:
      self.exchange = cuts ? exchange(.allGather, input) : nil
      backwardExchange = exchange(cuts ? .reduceScatter : .allReduce, input)
    case .row:
      self.exchange = exchange(cuts ? .reduceScatter : .allReduce, product)
      backwardExchange = cuts ? exchange(.allGather, product) : nil
    }
  }
}

/// What devices that cut the layers exchange: collectives with what DTensor copies around them.
///
/// Rows are tokens. A dimension other than the first is gathered in rank order and then put in order by `torch.cat`
/// (not for a single sequence, which lies in order already), and laid out in rank order ahead of a reduce-scatter.
/// Each collective makes a new tensor.
///
/// Source: `all_gather_tensor` and `reduce_scatter_tensor` in `torch/distributed/_functional_collectives.py`,
/// `_FromTorchTensor` in `torch/distributed/tensor/_api.py`, `Redistribute` in
/// `torch/distributed/tensor/_redistribute.py`, PyTorch 2.11; allocator traces of both.
///
/// Layers of Megatron's kind beside DeepSpeed add up in place, forward and backward (`_reduce` in
/// `atorch/modules/distributed_modules/mappings.py`, ATorch 1.1).
extension Forward {
  /// Devices that cut the matrices.
  private var ranks: Int { context.mesh.tensor }

  private func exchange(_ collective: Collective, _ whole: TensorSpec) -> Exchange {
    Exchange(collective: collective, payload: whole.bytes, ranks: ranks)
  }

  /// A tensor that all devices have, ahead of a matrix cut by columns: backward adds up its gradient.
  mutating func replicated(_ a: Value) -> Value {
    begin("all_reduce", a)
    exchange(nil, backward: exchange(.allReduce, a.spec))
    if addsInPlace { pass(0) } else { gradient(0, a.spec) }
    return endView(a.spec, of: a)
  }

  /// The sum of every device's `a`; backward hands the gradient on.
  mutating func allReduced(_ a: Value) -> Value {
    begin("all_reduce", a)
    exchange(exchange(.allReduce, a.spec), backward: nil)
    pass(0)
    return addsInPlace ? endView(a.spec, of: a) : end(a.spec)
  }

  /// Whether sums over devices take the place of what each had.
  private var addsInPlace: Bool { context.framework == .deepspeed }

  /// A local tensor as a `DTensor`, or the other way round: another name.
  mutating func wrapped(_ a: Value) -> Value {
    begin("from_local", a)
    pass(0)
    return endView(a.spec, of: a)
  }

  /// Writes code that works on `DTensor`s.
  mutating func wrapping(_ body: (inout Forward) throws(PlanError) -> Value) throws(PlanError)
    -> Value
  {
    wrapsTensors = true
    defer { wrapsTensors = false }
    return try body(&self)
  }

  /// The rows of all devices; backward adds up the gradient and keeps this device's rows.
  mutating func gathered(_ a: Value) throws(PlanError) -> Value {
    let whole = try TensorSpec(
      try checkedProduct(a.spec.rows, ranks), a.spec.columns, a.spec.dtype)
    begin("all_gather", a)
    exchange(exchange(.allGather, whole), backward: exchange(.reduceScatter, whole))
    temporary(0, whole.bytes)
    gradient(0, a.spec)
    free(0)
    return endGathered(whole)
  }

  /// The sum of every device's `a`, of which this device keeps its rows; backward gathers the gradient.
  mutating func reduceScattered(_ a: Value) throws(PlanError) -> Value {
    let part = try TensorSpec(a.spec.rows / ranks, a.spec.columns, a.spec.dtype)
    begin("reduce_scatter", a)
    exchange(exchange(.reduceScatter, a.spec), backward: exchange(.allGather, a.spec))
    if context.batch > 1 { temporary(0, a.spec.bytes) }
    gradient(0, a.spec)
    if context.batch > 1 { free(0) }
    let output = register(part)
    let ordered = register(a.spec)
    record()
    allocate(ordered)
    allocate(output)
    release(ordered.register)
    link(output)
    return output
  }

  /// The columns of all devices; backward copies this device's columns of the gradient.
  mutating func gatheredColumns(_ a: Value, columns: Int) throws(PlanError) -> Value {
    let whole = try TensorSpec(a.spec.rows, columns, a.spec.dtype)
    begin("all_gather", a)
    exchange(exchange(.allGather, whole), backward: nil)
    gradient(0, a.spec)
    let raw = register(whole)
    let output = register(whole)
    record()
    allocate(raw)
    allocate(output)
    release(raw.register)
    link(output)
    return output
  }

  private mutating func endGathered(_ whole: TensorSpec) -> Value {
    let output = register(whole)
    record()
    if context.batch > 1 {
      let raw = register(whole)
      allocate(raw)
      allocate(output)
      release(raw.register)
    } else {
      allocate(output)
    }
    link(output)
    return output
  }

  /// A projection of which this device has some outputs.
  ///
  /// With a cut sequence the module gathered its input for all its projections; otherwise each has a backward
  /// all-reduce of its own.
  mutating func columnProduct(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    guard context.mesh.cutsSequence else { return try product(replicated(x), linear) }
    return try wrapping { (f) throws(PlanError) in try f.product(x, linear) }
  }

  /// A projection of which this device has some inputs: the results are added up once all are there.
  mutating func rowProduct(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    enter(linear.module, holding: x)
    let partial = try product(x, linear)
    return leave(context.mesh.cutsSequence ? try reduceScattered(partial) : allReduced(partial))
  }

  /// A projection of which this device has some outputs, all of which are gathered.
  mutating func gatheredProduct(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    try gatheredColumns(
      try product(replicated(x), linear), columns: try checkedProduct(linear.output, ranks))
  }

  /// A projection of which this device has some inputs: it takes them out of whole rows.
  mutating func splitProduct(_ x: Value, _ linear: Linear) throws(PlanError) -> Value {
    enter(linear.module, holding: x)
    return leave(allReduced(try product(try ownColumns(x), linear)))
  }

  /// A copy of this device's columns; backward gathers the gradient.
  private mutating func ownColumns(_ a: Value) throws(PlanError) -> Value {
    begin("split", a)
    exchange(nil, backward: exchange(.allGather, a.spec))
    temporary(0, a.spec.bytes)
    gradient(0, a.spec)
    free(0)
    return end(try TensorSpec(a.spec.rows, a.spec.columns / ranks, a.spec.dtype))
  }

  /// A module's input: all rows, where the devices have a part of them each.
  mutating func moduleInput(_ x: Value) throws(PlanError) -> Value {
    guard context.mesh.cutsSequence else { return x }
    return try wrapping { (f) throws(PlanError) in try f.gathered(x) }
  }
}

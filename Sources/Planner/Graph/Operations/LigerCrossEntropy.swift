/// Liger's fused linear cross-entropy.
///
/// Source: `fused_linear_cross_entropy_forward` and `…_backward` in
/// `liger_kernel/ops/fused_linear_cross_entropy.py`, liger-kernel 0.8.5.
extension Forward {
  /// `LigerFusedLinearCrossEntropyFunction`: logits of one chunk of rows at a time, overwritten by their gradient.
  ///
  /// The gradients of `hidden` and, if it is trained, of the weight are made here and saved; backward hands them on.
  mutating func ligerCrossEntropy(_ hidden: Value, _ weight: Parameter) throws(PlanError) -> Value {
    let rows = hidden.spec.rows
    let flops = try checkedProduct(
      2 * (weight.trainable ? 3 : 2), rows, hidden.spec.columns, weight.value.spec.rows)
    begin("liger_fused_linear_cross_entropy", hidden, weight.value)
    let format = context.autocast ?? hidden.spec.dtype
    // Logits are written by the product, read and overwritten by the loss, and read for each gradient.
    let logits = try TensorSpec(rows, weight.value.spec.rows, format)
    work(
      flops: flops, bytes: 0, dtype: format, alsoMoving: (weight.trainable ? 5 : 4) &* logits.bytes)
    // The incoming gradient is compared with one.
    temporary(0, 4, role: .other)
    temporary(1, 1, role: .other)
    temporary(2, 1, role: .other)
    for index in 0..<UInt8(3) { free(index) }
    reuse(0, saved: 0)
    reuse(1, saved: 1, view: false)
    record()
    let input = register(hidden.spec)
    allocate(input)
    var saved = [input]
    if weight.trainable {
      let head = register(weight.value.spec)
      allocate(head, role: .gradients)
      saved.append(head)
    }
    let losses = transient(try TensorSpec(rows, 1, .fp32), role: .other)
    let truth = transient(try TensorSpec(rows, 1, .bool), role: .other)
    let count = transient(try TensorSpec(1, 1, .int64), role: .other)
    discard(transient(try TensorSpec(rows, 1, .int64), role: .other))
    discard(count)
    try chunks(hidden.spec, weight)
    let loss = register(try TensorSpec(1, 1, .fp32))
    allocate(loss, role: .other)
    link(loss, keeping: saved)
    for value in saved + [truth, losses] { discard(value) }
    return loss
  }

  /// The first chunk of rows, and the second, which the others equal.
  ///
  /// Rows are split so that a chunk's logits are about as large as all hidden states.
  private mutating func chunks(_ hidden: TensorSpec, _ weight: Parameter) throws(PlanError) {
    let parts = Self.ceil(weight.value.spec.rows, max(1, hidden.columns))
    let wanted = Self.ceil(hidden.rows, parts)
    var rows = 1
    while rows < wanted { rows *= 2 }
    let first = min(rows, hidden.rows)
    guard let autocast = context.autocast, hidden.dtype == .fp32 else {
      let logits = transient(try TensorSpec(first, weight.value.spec.rows, hidden.dtype))
      weightGradient(weight, product: weight.value.spec)
      return discard(logits)
    }
    // The product with the transposed weight casts it each time; that with the weight itself is kept, if it is trained.
    var kept: Value?
    for rows in [first, min(first, hidden.rows - first)] where rows > 0 {
      let input = try TensorSpec(rows, hidden.columns, autocast)
      let transposed = transient(weight.value.spec.cast(to: autocast), role: .parameters)
      let narrow = transient(input)
      let logits = transient(try TensorSpec(rows, weight.value.spec.rows, autocast))
      discard(narrow)
      discard(transposed)
      let table = kept ?? transient(weight.value.spec.cast(to: autocast), role: .parameters)
      if kept == nil, weight.trainable {
        cache(table)
        kept = table
      }
      let gradient = transient(input)
      if kept == nil { discard(table) }
      discard(gradient)
      if weight.trainable {
        let narrow = transient(input)
        weightGradient(weight, product: weight.value.spec.cast(to: autocast))
        discard(narrow)
      }
      discard(logits)
    }
    if let kept { discard(kept) }
  }

  /// Adds a chunk's part to the gradient of the weight: in place in 16 bits from compute capability 8.0 on, else by
  /// a product that is added in fp32.
  private mutating func weightGradient(_ weight: Parameter, product: TensorSpec) {
    guard weight.trainable else { return }
    guard product.dtype == .fp32 || context.kernels.computeCapability < 80 else { return }
    let made = transient(product)
    let wide = product.dtype == .fp32 ? nil : transient(product.cast(to: .fp32))
    discard(made)
    if let wide { discard(wide) }
  }

  private mutating func transient(_ spec: TensorSpec, role: Role = .activations) -> Value {
    let value = register(spec)
    allocate(value, role: role)
    return value
  }

  private static func ceil(_ a: Int, _ b: Int) -> Int { a / b + (a % b == 0 ? 0 : 1) }
}

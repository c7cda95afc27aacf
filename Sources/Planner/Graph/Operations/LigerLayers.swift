/// Liger's kernels inside a layer, as autograd functions written by hand: their gradients overwrite what they can.
///
/// Source: `liger_kernel/ops/rms_norm.py`, `rope.py`, `swiglu.py` and `utils.py`, liger-kernel 0.8.5.
extension Forward {
  /// The widest row that the kernels take (`calculate_settings`).
  private static let widestRow = 65_536

  /// `LigerRMSNormFunction`: saves the input, the weight and, in fp32, one reciprocal root a row.
  ///
  /// Backward writes the input's gradient over the incoming one; each multiprocessor sums its rows for the weight's.
  mutating func ligerNorm(_ x: Value, _ weight: Value) throws(PlanError) -> Value {
    try Self.check(x.spec)
    let width = x.spec.columns
    let partial = try TensorSpec(context.kernels.multiprocessors, width, .fp32)
    begin("liger_rms_norm", x, weight)
    work(flops: 0, bytes: 2 * x.spec.bytes, dtype: x.spec.dtype)
    temporary(0, partial.bytes, for: 0b10, role: .workspace)
    gradient(1, weight.spec.cast(to: .fp32), role: .gradients)
    if weight.spec.dtype != .fp32 { convert(1, to: weight.spec, role: .gradients) }
    free(0, for: 0b10)
    pass(0, view: true)
    let output = register(x.spec)
    let roots = register(x.spec.perRow.cast(to: .fp32))
    record()
    allocate(output)
    allocate(roots)
    link(output, keeping: [x, weight], and: roots)
    return output
  }

  /// `LigerRopeFunction`: rotates queries and keys in place, and their gradients too; saves the tables.
  ///
  /// A gradient that does not lie as the kernel wants it is copied first.
  mutating func ligerRotate(
    _ q: Value, _ k: Value, saving cos: Value, _ sin: Value, copiesQuery: Bool, copiesKey: Bool
  ) -> (Value, Value) {
    begin("liger_rope", q, k)
    work(flops: 0, bytes: 2 * (q.spec.bytes + k.spec.bytes), dtype: q.spec.dtype)
    if copiesQuery { gradient(0, q.spec, view: true, always: true) } else { pass(0, view: true) }
    if copiesKey {
      gradient(1, k.spec, view: true, always: true)
    } else {
      pass(1, view: true, from: 1)
    }
    return endViews(of: q, k, keeping: [cos, sin])
  }

  /// `LigerSiLUMulFunction`: `silu(gate) * up`; saves both, and backward writes their gradients over them.
  mutating func ligerGate(_ gate: Value, _ up: Value) throws(PlanError) -> Value {
    try Self.check(gate.spec)
    begin("liger_silu_mul", gate, up)
    work(flops: 0, bytes: 3 * gate.spec.bytes, dtype: gate.spec.dtype)
    reuse(0, saved: 0)
    reuse(1, saved: 1)
    let output = register(gate.spec)
    record()
    allocate(output)
    link(output, keeping: [gate, up])
    return output
  }

  private static func check(_ spec: TensorSpec) throws(PlanError) {
    guard spec.columns <= widestRow else {
      throw PlanError(
        .unsupported, "Liger's kernels take rows of at most \(widestRow) elements",
        path: "kernels", fix: "Use \"torch\": a row of this model has \(spec.columns).")
    }
  }
}

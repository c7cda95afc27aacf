/// What devices that share sequences exchange so that each attends with some heads over whole sequences: Ulysses.
///
/// Rows are heads of tokens. Each exchange makes a new tensor, forward and backward; backward lays its gradient out in the
/// order of the devices first. Nothing of it is saved.
///
/// Source: `UlyssesSPAttentionHF` in `deepspeed/runtime/sequence_parallel/ulysses_sp.py` and `_dim_zero_all_to_all` in
/// `deepspeed/sequence/layer.py`, DeepSpeed 0.19.8; allocator traces.
extension Forward {
  private var ranks: Int { context.mesh.context }

  /// `all_to_all_single` along the first dimension.
  private mutating func allToAll(_ a: Value, copiesGradient: Bool) -> Value {
    let exchange = Exchange(
      collective: .allToAll, payload: a.spec.bytes &* ranks, ranks: ranks)
    begin("all_to_all", a)
    self.exchange(exchange, backward: exchange)
    if copiesGradient { temporary(0, a.spec.bytes) }
    gradient(0, a.spec)
    if copiesGradient { free(0) }
    return end(a.spec)
  }

  /// Some heads of whole sequences, from all heads of this device's part of them: tokens first, then sequences.
  ///
  /// - Parameters:
  ///   - own: How many heads a device has.
  ///   - times: How often each head is repeated ahead, where there are fewer than devices.
  mutating func gatheredSequence(_ a: Value, own: Int, times: Int) throws(PlanError) -> Value {
    enter("combine_sequence", holding: a)
    let input = times > 1 ? local(try repeatHeads(a, times: times)) : a
    begin("view", input)
    if own > 1 { gradient(0, input.spec, view: true) } else { pass(0, view: true) }
    let viewed = endView(input.spec, of: input)
    let ordered = local(
      try contiguous(viewed, columns: input.spec.columns), replacing: input)
    return leave(local(allToAll(ordered, copiesGradient: context.batch > 1 || own > 1)))
  }

  /// All heads of this device's part of the sequences, from some heads of whole ones.
  mutating func scatteredSequence(_ a: Value) throws(PlanError) -> Value {
    enter("partition_global_sequence", holding: a)
    let input = context.batch > 1 ? local(try contiguous(a, columns: a.spec.columns)) : a
    let exchanged = local(allToAll(input, copiesGradient: true))
    return leave(
      local(
        try contiguous(exchanged, columns: try checkedProduct(a.spec.columns, ranks)),
        replacing: exchanged))
  }
}

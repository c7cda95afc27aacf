/// Attention of devices that share sequences, each with some heads over whole sequences: Ulysses.
///
/// Source: `UlyssesSPAttentionHF.forward` in `deepspeed/runtime/sequence_parallel/ulysses_sp.py`, DeepSpeed 0.19.8, with
/// transformers' `sdpa_attention_forward` in it.
extension CausalAttention {
  /// What a device attends with.
  private func ownHeads(_ context: ForwardContext) throws(PlanError) -> (
    attention: CausalAttention, times: Int
  ) {
    let ranks = context.mesh.context
    let isWhole = keyHeads % ranks == 0 || ranks % keyHeads == 0
    guard heads % ranks == 0, isWhole else {
      throw PlanError(
        .invalid,
        "\(heads) query and \(keyHeads) key heads cannot be shared equally by \(ranks) devices",
        path: "strategies.context_parallel.degree",
        fix:
          "Choose a degree that divides \(heads), and divides \(keyHeads) or is a multiple of it.")
    }
    var own = self
    own.heads = heads / ranks
    own.keyHeads = max(1, keyHeads / ranks)
    own.queries = try checkedProduct(context.sequence, ranks)
    own.keys = own.queries
    own.contiguousHeads = true
    return (own, max(1, ranks / keyHeads))
  }

  /// Whether gradients of heads that were exchanged lie in another order than the projection's output.
  ///
  /// They lie token by token, or device by device where each has one head and none is repeated.
  func copiesExchangedGradient(of heads: Int, in f: Forward) -> Bool {
    f.context.batch > 1 || heads > 1 && heads == f.context.mesh.context
  }

  /// Runs it over this device's part of the sequences.
  func exchanged(_ q: Value, _ k: Value, _ v: Value, in f: inout Forward) throws(PlanError)
    -> Value
  {
    let (own, times) = try ownHeads(f.context)
    let (batch, ranks) = (f.context.batch, f.context.mesh.context)
    f.enter("ulysses", holding: q, k, v)
    let part = try TensorSpec(batch, f.context.sequence, .int64)
    for _ in 0..<ranks { _ = f.local(f.plain("empty_like", part)) }
    _ = f.local(
      f.plain("cat", try TensorSpec(batch, try checkedProduct(f.context.sequence, ranks), .int64)))
    var parts = [
      f.local(try f.gatheredSequence(q, own: own.heads, times: 1)),
      f.local(try f.gatheredSequence(k, own: own.keyHeads, times: times)),
      f.local(try f.gatheredSequence(v, own: own.keyHeads, times: times)),
    ]
    for (index, count) in [own.heads, own.keyHeads, own.keyHeads].enumerated()
    where batch > 1 || count > 1 {
      let gathered = parts[index]
      parts[index] = f.local(
        try f.contiguous(gathered, columns: gathered.spec.columns), replacing: gathered)
    }
    let attended = f.local(try own.fused(parts[0], parts[1], parts[2], mask: nil, in: &f))
    let result = f.leave(f.local(try f.scatteredSequence(attended)))
    return batch > 1 ? try f.contiguous(result, columns: result.spec.columns) : result
  }
}

/// What the loop holds of a batch whose sequences several devices share.
///
/// `context_parallel` gives the buffers their parts' sizes but not their memory back, and keeps the parts: token ids,
/// shifted labels and positions, the last one twice. DeepSpeed's loader cuts token ids, shifted labels and positions on
/// the host.
///
/// Source: `context_parallel` in `torch/distributed/tensor/experimental/_context_parallel/_attention.py`, PyTorch 2.11;
/// `UlyssesSPDataLoaderAdapter` in `deepspeed/runtime/sequence_parallel/ulysses_sp.py`, DeepSpeed 0.19.8.
enum SharedSequence {
  /// Bytes of each tensor; `nil` where a device has whole sequences.
  static func inputs(_ context: ForwardContext) throws(PlanError) -> [Int]? {
    guard context.mesh.context > 1 else { return nil }
    let part = try checkedProduct(8, context.batch, context.sequence)
    if context.mesh.exchangesHeads { return [part, part, part] }
    let whole = try checkedProduct(part, context.mesh.context)
    let positions = 8 &* context.sequence
    // The padded labels of one sequence are a view of what was padded.
    let labels = context.batch == 1 ? whole + 8 : whole
    return [
      whole, labels, positions &* context.mesh.context, part, part, positions, positions,
    ]
  }
}

/// Liger's loss: head and cross-entropy in one function, which never has all logits and makes the gradients of the
/// hidden states and of the head already in the forward.
///
/// Source: `lce_forward` in `liger_kernel/transformers/model/llama.py`, `LigerForCausalLMLoss` in
/// `liger_kernel/transformers/model/loss_utils.py`, liger-kernel 0.8.5.
struct FusedLinearLoss: CausalLoss {
  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    f.enter("loss", holding: hidden)
    _ = try PaddedLabelsLoss.labels(in: &f)
    let loss = f.leave(try f.ligerCrossEntropy(hidden, weight))
    // The output has no logits; the loss in it keeps the graph.
    return (loss, f.context.keepOutputs ? loss : nil)
  }
}

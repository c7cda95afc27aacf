/// The loss of a head whose vocabulary is cut over devices.
///
/// `transformers` gathers the logits (`colwise_gather_output`) and goes on as always. With torchtitan's `loss_parallel`
/// they stay cut: the devices add up maxima and sums of exponentials, and the gradient of the logits is made at once.
///
/// Source: `ColwiseParallel` in `transformers/distributed/tensor_parallel.py`, transformers 5.17; `_log_softmax_handler`,
/// `_nll_loss_forward_handler` and `_nll_loss_and_log_softmax_backward` in `torch/distributed/tensor/parallel/loss.py`,
/// PyTorch 2.11. Layers of Megatron's kind beside DeepSpeed have its cross-entropy over cut logits.
struct CutLogitsLoss: CausalLoss {
  /// Rows of the whole head.
  let vocabulary: Int

  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    let mesh = f.context.mesh
    let isMegatrons = f.context.framework == .deepspeed
    let keepsCut = mesh.keepsLogitsCut || isMegatrons
    let input = mesh.cutsSequence ? try f.moduleInput(hidden) : f.replicated(hidden)
    let part = try f.product(input, weight, bias: bias, module: "lm_head")
    var logits = f.local(
      keepsCut ? part : try f.gatheredColumns(part, columns: vocabulary))
    if capped { logits = f.softCap(logits) }
    if isMegatrons {
      f.enter("loss", holding: logits)
      let losses = f.local(try f.parallelCrossEntropy(logits))
      return (f.leave(try f.maskedSum(losses)), f.context.keepOutputs ? logits : nil)
    }
    f.enter("loss", holding: logits)
    let wide = f.local(f.cast(logits, to: .fp32))
    let labels = try PaddedLabelsLoss.labels(in: &f)
    let loss =
      keepsCut
      ? try f.cutNegativeLogLikelihood(try f.cutLogSoftmax(wide), labels: labels)
      : try f.negativeLogLikelihood(f.logSoftmax(wide), labels: labels)
    return (f.leave(loss), f.context.keepOutputs ? logits : nil)
  }
}

/// The loss of `transformers` up to 4.48: logits in fp32, copied without the last position.
///
/// Of a single sequence all positions but the last lie in order already: that is no copy.
///
/// Source: `ForCausalLMLoss` in `loss/loss_utils.py`, transformers 4.48.1.
struct ShiftedLogitsLoss: CausalLoss {
  /// Families whose models computed a loss of their own then, in the format of the logits.
  static let exceptions = ["gpt2", "gpt_neox", "opt"]

  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let logits = try CausalHead.logits(
      hidden, weight: weight, bias: bias, capped: capped, in: &f)
    f.enter("loss", holding: logits)
    let wide = f.local(f.cast(logits, to: .fp32))
    let rows = try checkedProduct(batch, sequence - 1)
    var shifted = try f.slice(wide, rows: rows)
    var labels: Value?
    if batch > 1 {
      shifted = try f.contiguous(shifted, columns: shifted.spec.columns)
      labels = f.local(f.plain("contiguous", try TensorSpec(batch, sequence - 1, .int64)))
    }
    shifted = f.local(shifted)
    let loss = try f.negativeLogLikelihood(f.logSoftmax(shifted), labels: labels)
    return (f.leave(loss), f.context.keepOutputs ? logits : nil)
  }
}

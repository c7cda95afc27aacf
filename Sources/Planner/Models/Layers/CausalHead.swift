/// The end of a causal language model: logits over the vocabulary and the loss on the next token.
///
/// Source: `LlamaForCausalLM.forward` and `ForCausalLMLoss`, transformers 5.17: the labels are padded by one
/// position instead of shifting the logits, and the logits are cast to fp32.
enum CausalHead {
  /// Projects `hidden` onto the vocabulary and computes the loss, which stays as the frame's result.
  ///
  /// - Parameter capped: Whether a tanh bounds the logits.
  /// - Returns: The logits if the caller holds the model's output, else `nil`.
  static func loss(
    _ hidden: Value, weight: Parameter, bias: Parameter? = nil, capped: Bool = false,
    in f: inout Forward
  ) throws(PlanError) -> (loss: Value, logits: Value?) {
    var logits = f.local(try f.product(hidden, weight, bias: bias, module: "lm_head"))
    if capped { logits = f.softCap(logits) }
    f.enter("loss", holding: logits)
    let wide = f.local(f.cast(logits, to: .fp32))
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let padded = f.local(
      f.plain("pad", try TensorSpec(batch, sequence + 1, .int64)))
    var labels = padded
    if batch > 1 {
      labels = f.local(f.plain("contiguous", try TensorSpec(batch, sequence, .int64)))
    }
    let loss = try f.negativeLogLikelihood(f.logSoftmax(wide), labels: labels)
    let result = f.leave(loss)
    return (result, f.context.keepOutputs ? logits : nil)
  }
}

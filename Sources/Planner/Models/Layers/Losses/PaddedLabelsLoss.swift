/// The loss of today's `transformers`: the labels are padded by one position instead of shifting the logits.
///
/// Source: `LlamaForCausalLM.forward` and `ForCausalLMLoss`, transformers 5.17.
struct PaddedLabelsLoss: CausalLoss {
  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    let logits = try CausalHead.logits(
      hidden, weight: weight, bias: bias, capped: capped, in: &f)
    f.enter("loss", holding: logits)
    let wide = f.local(f.cast(logits, to: .fp32))
    // Over a shared sequence the loop has shifted the labels before it cut them.
    let labels = f.context.mesh.context > 1 ? nil : try Self.labels(in: &f)
    let loss = f.leave(try f.negativeLogLikelihood(f.logSoftmax(wide), labels: labels))
    return (loss, f.context.keepOutputs ? logits : nil)
  }

  /// The labels one position on, names of the current frame: padded, and copied unless one sequence can be viewed.
  static func labels(in f: inout Forward) throws(PlanError) -> Value {
    let (batch, sequence) = (f.context.batch, f.context.sequence)
    let padded = f.local(f.plain("pad", try TensorSpec(batch, sequence + 1, .int64)))
    guard batch > 1 else { return padded }
    return f.local(f.plain("contiguous", try TensorSpec(batch, sequence, .int64)))
  }
}

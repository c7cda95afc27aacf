/// The end of a causal language model: from its last hidden states to the loss on the next token.
protocol CausalLoss: Sendable {
  /// Projects `hidden`, a name of the current frame, onto the vocabulary and computes the loss.
  ///
  /// - Parameter capped: Whether a tanh bounds the logits.
  /// - Returns: The loss, and what else a caller that holds the model's output holds of it.
  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?)
}

/// Runs the loss that the scenario chose.
enum CausalHead {
  /// See ``CausalLoss``.
  static func loss(
    _ hidden: Value, weight: Parameter, bias: Parameter? = nil, vocabulary: Int? = nil,
    capped: Bool = false, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    if f.context.mesh.tensor > 1, let vocabulary {
      return try CutLogitsLoss(vocabulary: vocabulary)(
        hidden, weight: weight, bias: bias, capped: capped, in: &f)
    }
    let loss = f.context.kernelSet.layers.loss ?? f.context.loss.form
    return try loss(hidden, weight: weight, bias: bias, capped: capped, in: &f)
  }

  /// The logits of all positions, a name of the current frame.
  static func logits(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> Value {
    let logits = f.local(try f.product(hidden, weight, bias: bias, module: "lm_head"))
    return capped ? f.softCap(logits) : logits
  }
}

extension LossImplementation {
  /// The code of this loss.
  fileprivate var form: any CausalLoss {
    switch self {
    case .transformers: PaddedLabelsLoss()
    case .transformers448: ShiftedLogitsLoss()
    case .chunked(let chunks): ChunkedLoss(chunks: chunks)
    }
  }
}

/// torchtune's chunked cross-entropy: logits of chunks of the sequence, each cast to fp32 on its own.
///
/// The logits of all chunks are there in the model's format, and autograd keeps all log-probabilities in fp32; what
/// is saved is the fp32 copy of all but one chunk, and the gradients of all log-probabilities at once. The loop lets
/// go of the logits before backward. The sum of the losses is divided by the number of labels.
///
/// Source: `CEWithChunkedOutputLoss` in `torchtune/modules/loss/ce_chunked_output_loss.py`, `chunked_output` in
/// `torchtune/modules/transformer.py`, `del outputs` in torchtune's recipes; pytorch/torchtune @10ff7cd.
struct ChunkedLoss: CausalLoss {
  /// Parts of the sequence.
  let chunks: Int

  func callAsFunction(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> (loss: Value, held: Value?) {
    let logits = try self.logits(hidden, weight: weight, bias: bias, capped: capped, in: &f)
    f.forget(hidden)
    f.enter("loss")
    let all = try TensorSpec(f.context.batch, f.context.sequence, .int64)
    let labels = f.local(f.plain("pad", all))
    let count = f.local(try self.count(all, in: &f))
    var parts: [Value] = []
    for index in 0..<chunks {
      if lieInOrder(f.context) {
        parts.append(labels)
        continue
      }
      let part = try TensorSpec(try rows(index, f.context), 1, .int64)
      parts.append(f.local(f.plain("reshape", part)))
    }
    var total: Value?
    for (chunk, labels) in zip(logits, parts) {
      f.enter("loss", holding: chunk)
      let wide = f.local(f.cast(chunk, to: .fp32))
      let loss = f.leave(try f.negativeLogLikelihood(f.logSoftmax(wide), labels: labels))
      guard let sum = total else {
        total = f.local(f.addConstant(loss))
        continue
      }
      total = f.local(f.addInPlace(loss, to: sum), replacing: sum)
    }
    guard let total else { throw .noChunks }
    let mean = f.leave(f.divide(total, byCount: count))
    for chunk in logits { f.forget(chunk) }
    return (mean, nil)
  }

  /// The logits of each chunk, names of the current frame; all slices are made before the first projection.
  private func logits(
    _ hidden: Value, weight: Parameter, bias: Parameter?, capped: Bool, in f: inout Forward
  ) throws(PlanError) -> [Value] {
    var slices: [Value] = []
    for index in 0..<chunks {
      slices.append(f.local(try f.slice(hidden, rows: try rows(index, f.context))))
    }
    // Autocast casts the weights for the first chunk and keeps that for the others.
    let castBias = bias.map { f.castOnce($0) }
    let castWeight = f.castOnce(weight)
    var logits: [Value] = []
    for slice in slices {
      // A matrix product wants rows in order; autocast's cast puts them so.
      let ordered = lieInOrder(f.context) || f.context.autocast != nil
      let rows = ordered ? slice : try f.contiguous(slice, columns: slice.spec.columns)
      logits.append(
        try CausalHead.logits(rows, weight: castWeight, bias: castBias, capped: capped, in: &f))
    }
    for value in slices + [castWeight.value] { f.forget(value) }
    if let castBias { f.forget(castBias.value) }
    return logits
  }

  /// Whether a chunk is one piece of memory: not if it has some positions of each of several sequences.
  private func lieInOrder(_ context: ForwardContext) -> Bool {
    context.batch == 1 || chunks == 1
  }

  /// Rows of a chunk; the first ones have the positions that do not divide.
  private func rows(_ index: Int, _ context: ForwardContext) throws(PlanError) -> Int {
    guard chunks <= context.sequence else { throw .shortSequence(chunks, context.sequence) }
    let positions = context.sequence / chunks + (index < context.sequence % chunks ? 1 : 0)
    return try checkedProduct(context.batch, positions)
  }

  /// `(labels != ignored).sum()`, which counts in 64 bits.
  private func count(_ labels: TensorSpec, in f: inout Forward) throws(PlanError) -> Value {
    let truth = f.plain("ne", labels.cast(to: .bool))
    let count = f.plain("sum", labels.scalar)
    f.discard(f.plain("to", labels))
    f.discard(truth)
    return count
  }
}

extension PlanError {
  fileprivate static func shortSequence(_ chunks: Int, _ sequence: Int) -> Self {
    Self(
      .invalid, "\(sequence) tokens cannot be split into \(chunks) chunks", path: "loss.chunks",
      fix: "Use at most as many chunks as a sequence has tokens.")
  }
  fileprivate static var noChunks: Self {
    Self(.invalid, "a loss over no chunks", path: "loss.chunks", fix: "Use 1 or more chunks.")
  }
}

/// Megatron's `GPTModel`: embedding, layers, final norm, output layer, loss.
///
/// Source: `megatron/core/models/gpt/gpt_model.py`, `models/common/embeddings/language_model_embedding.py`,
/// `pretrain_gpt.py`, core 0.16.1.
struct MegatronDecoder: Sendable {
  let sizes: MegatronSizes

  /// Writes the forward pass of one tensor-parallel device.
  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    let part = try sizes.part(of: context.mesh.tensor)
    let tokens = try MegatronTokens(context)
    f.enter("model")
    let table = try f.cutParameter(
      "embedding.word_embeddings.weight", part.vocabulary, sizes.hidden)
    let embedded = try embed(table, tokens, in: &f)
    let (leading, pattern) = try layers(embedded.spec, part, tokens, in: &f)
    var stream = f.layers(embedded)
    let norm = try f.megatronNorm("decoder.final_layernorm.weight", sizes, width: sizes.hidden)
    stream = f.leave(f.local(try f.norm(stream, norm), replacing: stream))
    f.enter("output_layer", holding: stream)
    let head =
      sizes.isTied
      ? table : try f.cutParameter("output_layer.weight", part.vocabulary, sizes.hidden)
    let logits = f.local(try f.parallelProduct(stream, head, cut: .column, isOwn: true))
    let losses = f.leave(try f.parallelCrossEntropy(logits))
    f.finish(loss: try f.maskedSum(losses), holding: nil)
    return LayerGraph(
      program: f.program, leading: leading, pattern: pattern, layers: sizes.layers,
      buffers: try buffers(tokens, part, context),
      inputs: try tokens.inputs(context))
  }

  /// Writes each kind of layer once: with experts, and without.
  private func layers(
    _ residual: TensorSpec, _ part: MegatronSizes.Part, _ tokens: MegatronTokens,
    in f: inout Forward
  ) throws(PlanError) -> (leading: LeadingLayers?, pattern: [Int]) {
    var sections: [Bool: Int] = [:]
    func section(_ hasExperts: Bool, _ f: inout Forward) throws(PlanError) -> Int {
      if let section = sections[hasExperts] { return section }
      let section = try f.layer("layers", residual: residual, arguments: []) {
        (f, x) throws(PlanError) in
        try MegatronLayer(sizes, part, tokens, hasExperts: hasExperts, in: &f)(x, in: &f)
      }
      sections[hasExperts] = section
      return section
    }
    guard let experts = sizes.experts else { return (nil, [try section(false, &f)]) }
    var leading: LeadingLayers?
    if experts.leadingDense > 0 {
      leading = LeadingLayers(
        section: try section(false, &f), count: min(experts.leadingDense, sizes.layers))
    }
    var pattern: [Int] = []
    guard experts.leadingDense < sizes.layers else { return (leading, pattern) }
    for hasExperts in experts.pattern { pattern.append(try section(hasExperts, &f)) }
    return (leading, pattern)
  }

  /// Word and position embeddings, in the order of the layers: `[sequence, batch, hidden]`.
  private func embed(_ table: Parameter, _ tokens: MegatronTokens, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let positions: Parameter? =
      switch sizes.positions {
      case .learned(let count):
        try f.parameter("embedding.position_embeddings.weight", count, sizes.hidden)
      case .rotary, .none: nil
      }
    let isCut = f.context.mesh.tensor > 1
    let ids = isCut ? f.local(f.plain("masked_input", try TensorSpec(tokens.all, 1, .int64))) : nil
    var rows = try f.embedding(rows: tokens.all, table, module: "word_embeddings", at: ids)
    if let positions {
      let words = f.local(rows)
      let places = try f.embedding(rows: tokens.all, positions, module: "position_embeddings")
      rows = try f.add(words, places)
      f.forget(words)
    }
    rows = try f.contiguous(rows, columns: sizes.hidden)
    if f.context.mesh.cutsSequence, isCut { rows = try f.scatterSequence(rows, to: tokens.kept) }
    if let ids { f.forget(ids) }
    return f.local(sizes.dropsHidden ? f.dropout(rows) : rows)
  }

  /// What stays between steps beside weights: rotary angles, and what Megatron's own layers gather or multiply into.
  private func buffers(
    _ tokens: MegatronTokens, _ part: MegatronSizes.Part, _ context: ForwardContext
  ) throws(PlanError) -> [Int] {
    var buffers: [Int] = []
    if sizes.positions == .rotary {
      let width = sizes.latent?.rotaryWidth ?? sizes.headWidth
      buffers += [width / 2 * 4, try checkedProduct(context.sequence, width, 4)]
    }
    let size = context.dtype.size
    // One buffer, as large as the largest tensor that was asked of it.
    var largest = 0
    if context.mesh.cutsSequence, context.mesh.tensor > 1 {
      largest = try checkedProduct(tokens.all, sizes.hidden, size)
    }
    if context.megatron.implementation == .local, !context.megatron.runsOwnFlashAttention {
      let scores = try checkedProduct(tokens.all, tokens.sequence, part.heads, size)
      largest = max(largest, scores)
    }
    if sizes.experts != nil, context.megatron.dispatcher == .allGather {
      let ranks = try checkedProduct(
        context.megatron.expertTensorDegree ?? context.mesh.tensor, context.mesh.expert)
      if ranks > 1 {
        largest = max(largest, try checkedProduct(tokens.kept, ranks, sizes.hidden, size))
      }
    }
    if largest > 0 { buffers.append(largest) }
    return buffers
  }
}

/// The tokens of a micro-batch on one device.
struct MegatronTokens: Hashable, Sendable {
  /// Sequences.
  let batch: Int
  /// Positions of each, of those that context parallelism leaves.
  let sequence: Int
  /// Tokens that matrices see.
  let all: Int
  /// Tokens that norms and the residual stream see: fewer with sequence parallelism.
  let kept: Int

  init(_ context: ForwardContext) throws(PlanError) {
    batch = context.batch
    sequence = context.sequence
    all = try checkedProduct(batch, sequence)
    let degree = context.mesh.cutsSequence ? context.mesh.tensor : 1
    guard sequence % degree == 0 else {
      throw PlanError(
        .invalid, "\(sequence) tokens of a sequence cannot be cut over \(degree) devices",
        path: "strategies.sequence_parallel",
        fix: "Choose a tensor-parallel degree that divides the sequence.")
    }
    kept = all / degree
  }

  /// Token ids, labels, positions, the mask of the loss, and that of attention.
  func inputs(_ context: ForwardContext) throws(PlanError) -> [Int] {
    let ids = try checkedProduct(all, 8)
    let inputs = [ids, ids, try checkedProduct(all, 4), ids]
    guard context.megatron.makesMask else { return inputs }
    return inputs + [try checkedProduct(batch, sequence, sequence, context.mesh.context)]
  }
}

extension Forward {
  /// Declares a weight of which each of `degree` devices has this part.
  mutating func cutParameter(
    _ name: StaticString, _ rows: Int, _ columns: Int, over degree: Int? = nil
  ) throws(PlanError) -> Parameter {
    try parameter(
      name, rows, columns, whole: try checkedProduct(rows, columns, degree ?? context.mesh.tensor))
  }

  /// Declares a norm of Megatron's.
  mutating func megatronNorm(_ name: StaticString, _ sizes: MegatronSizes, width: Int)
    throws(PlanError) -> MegatronNorm
  {
    let weight = try parameter(name, 1, width)
    return MegatronNorm(
      weight: weight, bias: sizes.usesRMSNorm ? nil : try parameter(name, 1, width))
  }

  /// Each device keeps its part of the sequence; backward gathers the gradient.
  mutating func scatterSequence(_ x: Value, to rows: Int) throws(PlanError) -> Value {
    begin("scatter_to_sequence_parallel_region", x)
    work(flops: 0, bytes: x.spec.bytes, dtype: x.spec.dtype)
    gradient(0, x.spec, role: .communication)
    return end(x.spec.withRows(rows))
  }
}

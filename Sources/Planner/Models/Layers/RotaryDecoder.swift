/// The model around the layers of a rotary decoder: embedding, masks, rotary tables, final norm, head, loss.
///
/// Source: `LlamaModel.forward` and `Gemma3TextModel.forward`, transformers 5.17.
struct RotaryDecoder: Sendable {
  var sizes: DecoderSizes
  /// Columns of each head that are rotated; all of them if `nil`.
  var rotaryWidth: Int?
  /// Whether the rotary tables stay in fp32.
  var wideTables = false
  /// Whether there is one table of complex numbers instead of two.
  var hasComplexTable = false
  /// Bytes of a buffer that each layer with a mixture keeps on the device.
  var mixtureBuffer: Int?
  /// Whether the embedding is multiplied by a constant that the model keeps on the device.
  var scalesEmbedding = false
  /// Whether a tanh bounds the logits.
  var capsLogits = false
  /// Keys that a query of a sliding layer can see.
  var window: Int?
  /// Which layers slide: a pattern, repeated over all layers.
  var slides = [false]
  /// Which layers have a mixture of experts: a pattern, repeated over all layers behind the leading ones.
  ///
  /// Where it is longer than one, ``slides`` is not.
  var mixtures = [false]
  /// How many layers ahead of the patterns have none.
  var leadingDense = 0
  /// Whether the model makes both masks, whichever its layers use.
  var makesBothMasks = false
  /// Whether sliding layers have rotary tables of their own.
  var tablesForEachKind = false

  typealias Surroundings = RotaryAttention.Surroundings

  /// Writes the forward pass.
  ///
  /// - Parameters:
  ///   - norm: Declares the final norm.
  ///   - layer: Declares and runs one layer.
  func graph(
    _ context: ForwardContext,
    norm: (inout Forward) throws(PlanError) -> any Norm,
    layer: (inout Forward, Value, Surroundings) throws(PlanError) -> Value
  ) throws(PlanError) -> LayerGraph {
    var f = Forward(context)
    let cutsSequence = context.mesh.cutsSequence
    f.enter("caller")
    // Over a cut sequence the caller makes the positions, which are those of whole sequences.
    var positions = cutsSequence ? try Self.positions(&f) : nil
    f.enter("model")
    let tokens = try checkedProduct(context.batch, context.sequence)
    // transformers cuts the embedding where it is the head, layers of Megatron's kind always do.
    let cutsTable =
      cutsSequence || context.mesh.tensor > 1 && (sizes.tied || context.framework == .deepspeed)
    let embedding = try f.vocabularyTable(
      "embed_tokens.weight", sizes.vocabulary, sizes.hidden, cut: cutsTable)
    let rows = try f.tokenRows(tokens, embedding, vocabulary: sizes.vocabulary, cut: cutsTable)
    let embedded = f.local(scalesEmbedding ? f.scale(rows) : rows)
    if context.inputRequiresGradient { f.require(embedded) }
    if !cutsSequence, context.mesh.context == 1 { positions = try Self.positions(&f) }
    let (leading, pattern) = try sections(
      residual: embedded.spec, positions.map { [$0] } ?? [], layer: layer, in: &f)
    var stream = f.layers(f.local(f.alias(embedded)))
    let finalNorm = try norm(&f)
    stream = f.local(try finalNorm(stream, in: &f), replacing: stream)
    stream = f.leave(stream)
    f.enter("lm_head", holding: stream)
    let head =
      sizes.tied
      ? embedding
      : try f.vocabularyTable(
        "lm_head.weight", sizes.vocabulary, sizes.hidden, cut: context.mesh.tensor > 1)
    let (loss, logits) = try CausalHead.loss(
      stream, weight: head, vocabulary: sizes.vocabulary, capped: capsLogits, in: &f)
    f.finish(loss: loss, holding: logits)
    return LayerGraph(
      program: f.program, leading: leading, pattern: pattern, layers: sizes.layers,
      buffers: buffers(context), inputs: try SharedSequence.inputs(context))
  }

  /// The positions of a sequence, a name of the current frame.
  private static func positions(_ f: inout Forward) throws(PlanError) -> Value {
    f.local(f.plain("arange", try TensorSpec(1, f.context.sequence, .int64)))
  }

  /// Writes each kind of layer once.
  ///
  /// - Returns: The leading layers, if any, and the section of each layer of the pattern.
  private func sections(
    residual: TensorSpec, _ positions: [Value],
    layer: (inout Forward, Value, Surroundings) throws(PlanError) -> Value,
    in f: inout Forward
  ) throws(PlanError) -> (leading: LeadingLayers?, pattern: [Int]) {
    let kinds = try surroundings(&f)
    var written: [Kind: Int] = [:]
    func section(_ kind: Kind, _ f: inout Forward) throws(PlanError) -> Int {
      if let section = written[kind] { return section }
      var around = kind.slides ? kinds.sliding : kinds.full
      around.hasMixture = kind.hasMixture
      var arguments = positions + [around.cos]
      if around.sin != around.cos { arguments.append(around.sin) }
      if let mask = around.mask { arguments.append(mask) }
      let section = try f.layer("layers", residual: residual, arguments: arguments) {
        [around] (f, x) throws(PlanError) in try layer(&f, x, around)
      }
      written[kind] = section
      return section
    }
    var leading: LeadingLayers?
    if leadingDense > 0, let slides = slides.first {
      leading = LeadingLayers(
        section: try section(Kind(slides: slides, hasMixture: false), &f),
        count: min(leadingDense, sizes.layers))
    }
    guard leadingDense < sizes.layers else { return (leading, []) }
    var pattern: [Int] = []
    for index in 0..<max(slides.count, mixtures.count) {
      let kind = Kind(
        slides: slides[index % slides.count], hasMixture: mixtures[index % mixtures.count])
      pattern.append(try section(kind, &f))
    }
    return (leading, pattern)
  }

  /// What distinguishes layers of one model.
  private struct Kind: Hashable {
    let slides: Bool
    let hasMixture: Bool
  }

  /// Masks and tables of both kinds of layers; a kind without layers shares the other's.
  private func surroundings(_ f: inout Forward)
    throws(PlanError) -> (full: Surroundings, sliding: Surroundings)
  {
    func mask(_ window: Int?, _ f: inout Forward) throws(PlanError) -> Value? {
      let attention = CausalAttention(
        heads: sizes.heads, keyHeads: sizes.keyHeads, headWidth: sizes.headWidth, window: window)
      return try attention.mask(in: &f).map { f.local($0) }
    }
    let (hasFull, hasSliding) = (slides.contains(false), slides.contains(true))
    let fullMask = hasFull || makesBothMasks ? try mask(nil, &f) : nil
    let slidingMask = hasSliding || makesBothMasks ? try mask(window, &f) : nil
    // DeepSpeed's loader makes positions of each sequence.
    let rows =
      f.context.mesh.exchangesHeads
      ? try checkedProduct(f.context.batch, f.context.sequence) : f.context.sequence
    func tables(_ f: inout Forward) throws(PlanError) -> (cos: Value, sin: Value) {
      if hasComplexTable {
        let table = f.local(
          try RotaryEmbedding.complexTable(
            sequence: rows, width: rotaryWidth ?? sizes.headWidth, in: &f))
        return (table, table)
      }
      let dtype = wideTables ? .fp32 : f.context.dtype
      let (cos, sin) = try RotaryEmbedding.tables(
        sequence: rows, width: rotaryWidth ?? sizes.headWidth, dtype: dtype, in: &f)
      return (f.local(cos), f.local(sin))
    }
    let first = try tables(&f)
    let second = tablesForEachKind && hasFull && hasSliding ? try tables(&f) : first
    return (
      Surroundings(mask: fullMask, cos: first.cos, sin: first.sin, window: nil),
      Surroundings(mask: slidingMask, cos: second.cos, sin: second.sin, window: window)
    )
  }

  /// Rotary frequencies, and the scale of the embedding.
  private func buffers(_ context: ForwardContext) -> [Int] {
    var buffers = RotaryEmbedding.buffers(width: rotaryWidth ?? sizes.headWidth)
    if tablesForEachKind, slides.contains(true), slides.contains(false) { buffers += buffers }
    if let mixtureBuffer, leadingDense < sizes.layers {
      buffers += Array(repeating: mixtureBuffer, count: sizes.layers - leadingDense)
    }
    if scalesEmbedding { buffers.append((context.bufferFormat ?? context.dtype).size) }
    return buffers
  }
}

/// The Vision Transformer with its image classification head: patches and a class token, pre-norm layers.
///
/// Source: `modeling_vit.py` and `configuration_vit.py`, transformers 5.17.
struct ViT: ModelFamily {
  static let modelType = "vit"

  private let sizes: HeadSizes
  private let intermediate: Int
  private let image: Int
  private let patch: Int
  private let channels: Int
  private let labels: Int
  private let bias: Bool
  private let activation: Activation
  private let dropsAttention: Bool
  private let dropsHidden: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try HeadSizes(&config, default: .init(hidden: 768, layers: 12, heads: 12))
    intermediate = try config.integer("intermediate_size", in: 1...10_000_000, default: 3072)
    image = try config.integer("image_size", in: 1...100_000, default: 224)
    patch = try config.integer("patch_size", in: 1...100_000, default: 16)
    channels = try config.integer("num_channels", in: 1...10_000, default: 3)
    let named = try config.object("id2label")?.keys.count
    labels = try config.integer("num_labels", in: 2...10_000_000, default: named ?? 2)
    bias = try config.bool("qkv_bias", default: true)
    activation = try config.choice("hidden_act", default: .gelu)
    dropsAttention = try config.drops("attention_probs_dropout_prob", default: 0)
    dropsHidden = try config.drops("hidden_dropout_prob", default: 0)
    guard patch <= image else {
      throw PlanError(
        .invalid, "a patch of \(patch) pixels is larger than an image of \(image)",
        path: config.place("patch_size"), fix: "Choose a patch_size of at most image_size.")
    }
    guard labels > 1 else {
      throw PlanError(
        .unsupported, "\(labels) class is a regression, which is not planned",
        path: config.place("id2label"), fix: "Give at least two classes, or num_labels.")
    }
  }

  var linearModules: [String] { ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"] }

  var assumptions: [Assumption] {
    [
      Assumption(
        "image_tokens",
        "a sample is one image of \(image) × \(image) pixels in fp32, \(tokens) tokens whatever "
          + "workload.sequence_length says, with one class label",
        source: "ViTForImageClassification.forward"),
      Assumption(
        "convolution_workspace",
        "cuDNN's own workspace for the convolution that makes the patches is not counted",
        source: "convolution_backward in PyTorch's aten/src/ATen/native/Convolution.cpp"),
    ]
  }

  /// Patches on a side of the image, squared, and the class token.
  private var tokens: Int { (image / patch) * (image / patch) + 1 }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    var context = context
    context.sequence = tokens
    var f = Forward(context)
    let pixels = try TensorSpec(
      try checkedProduct(context.batch, channels, image), image, .fp32)
    f.enter("classifier")
    f.enter("model")
    // `pixel_values` is a name of the model's frame, bound again where it is cast.
    let cast =
      context.dtype == .fp32
      ? nil : f.local(f.plain("to", pixels.cast(to: context.dtype), role: .activations))
    let embedded = f.local(try embeddings(pixels, cast, in: &f))
    var stream = f.local(f.alias(embedded))
    let layer = try f.layer("layers", residual: stream.spec, arguments: []) {
      (f, x) throws(PlanError) in try self.layer(x, in: &f)
    }
    stream = f.layers(stream)
    let norm = try LayerNorm(
      "layernorm", weight: "layernorm.weight", bias: "layernorm.bias", width: sizes.hidden, in: &f)
    let states = f.local(f.leave(f.local(try norm(stream, in: &f))))
    let weight = try f.parameter("classifier.weight", labels, sizes.hidden)
    let bias = try f.parameter("classifier.bias", 1, labels)
    let pooled = f.local(try f.firstRows(states, batch: context.batch))
    let logits = f.local(try f.product(pooled, weight, bias: bias, module: "classifier"))
    let loss = try ClassLoss.loss(logits, in: &f)
    f.finish(loss: loss, holding: context.keepOutputs ? logits : nil)
    return LayerGraph(
      program: f.program, pattern: [layer], layers: sizes.layers,
      inputs: [pixels.bytes, try checkedProduct(context.batch, 8)])
  }

  /// `ViTEmbeddings.forward`: patches, the class token ahead of them, positions.
  private func embeddings(_ image: TensorSpec, _ pixels: Value?, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let batch = f.context.batch
    let classToken = try f.parameter("cls_token", 1, sizes.hidden, leading: 1)
    let positions = try f.parameter(
      "position_embeddings", tokens, sizes.hidden, leading: 1)
    let weight = try f.parameter(
      "projection.weight", sizes.hidden, try checkedProduct(channels, patch, patch))
    let bias = try f.parameter("projection.bias", 1, sizes.hidden)
    f.enter("embeddings")
    let patches = f.local(
      try f.convolution(
        patches: try checkedProduct(batch, tokens - 1), image: image, pixels: pixels,
        weight: weight, bias: bias))
    if f.context.inputRequiresGradient { f.require(patches) }
    let classes = f.local(try f.expandRow(classToken, rows: batch))
    var stream = f.local(try f.concatenateRows(classes, patches), replacing: patches)
    let places = batch == 1 ? f.copyingGradient(positions) : positions.value
    stream = f.local(try f.add(stream, places), replacing: stream)
    if dropsHidden { stream = f.local(f.dropout(stream), replacing: stream) }
    return f.leave(stream)
  }

  private var attention: CausalAttention {
    var attention = CausalAttention(
      heads: sizes.heads, keyHeads: sizes.heads, headWidth: sizes.headWidth,
      dropout: dropsAttention)
    attention.causal = false
    return attention
  }

  /// One layer, as `ViTLayer.forward` runs it.
  private func layer(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    let hidden = sizes.hidden
    let attention = EncoderAttention(
      attention: attention,
      q: try f.linear(
        "q_proj", weight: "q_proj.weight", bias: bias ? "q_proj.bias" : nil, input: hidden,
        output: hidden),
      k: try f.linear(
        "k_proj", weight: "k_proj.weight", bias: bias ? "k_proj.bias" : nil, input: hidden,
        output: hidden),
      v: try f.linear(
        "v_proj", weight: "v_proj.weight", bias: bias ? "v_proj.bias" : nil, input: hidden,
        output: hidden))
    let output = try f.linear(
      "o_proj", weight: "o_proj.weight", bias: "o_proj.bias", input: hidden, output: hidden)
    let before = try LayerNorm(
      "layernorm_before", weight: "layernorm_before.weight", bias: "layernorm_before.bias",
      width: hidden, in: &f)
    let after = try LayerNorm(
      "layernorm_after", weight: "layernorm_after.weight", bias: "layernorm_after.bias",
      width: hidden, in: &f)
    let mlp = PlainMLP(
      first: try f.linear(
        "fc1", weight: "fc1.weight", bias: "fc1.bias", input: hidden, output: intermediate),
      second: try f.linear(
        "fc2", weight: "fc2.weight", bias: "fc2.bias", input: intermediate, output: hidden),
      activation: activation)

    f.enter("layer", holding: x)
    var residual = f.local(x)
    var stream = f.local(try before(x, in: &f))
    f.enter("attention", holding: stream)
    let (rows, weights) = try attention(stream, in: &f)
    let projected = f.local(try f.project(rows, output), replacing: rows)
    let attended = f.returned(projected, weights)
    f.forget(stream)
    stream = attended
    if dropsHidden { stream = f.local(f.dropout(stream), replacing: stream) }
    stream = f.local(try f.add(stream, residual), replacing: stream)
    residual = f.local(stream, replacing: residual)
    stream = f.local(try after(stream, in: &f), replacing: stream)
    stream = f.local(try mlp(stream, in: &f), replacing: stream)
    if dropsHidden { stream = f.local(f.dropout(stream), replacing: stream) }
    return f.leave(f.local(try f.add(stream, residual), replacing: stream))
  }
}

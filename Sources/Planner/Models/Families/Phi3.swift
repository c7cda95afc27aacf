/// Phi-3 and Phi-4: Llama's layers with q, k, v in one projection and gate and up in another.
///
/// Source: `modeling_phi3.py` and `configuration_phi3.py`, transformers 5.17.
struct Phi3: ModelFamily {
  static let modelType = "phi3"
  private let sizes: DecoderSizes
  private let activation: Activation
  private let window: Int?
  /// Columns of each head that are rotated.
  private let rotaryWidth: Int
  /// Whether the branches end in a dropout.
  private let drops: Bool

  init(_ config: inout Settings) throws(PlanError) {
    sizes = try DecoderSizes(
      &config, .init(vocabulary: 32_064, hidden: 3072, intermediate: 8192))
    activation = try config.choice("hidden_act", default: .silu)
    window = try config.optionalInteger("sliding_window", in: 1...1_000_000_000)
    drops = try config.optionalNumber("resid_pdrop", in: 0...1) ?? 0 > 0
    var factor = try config.optionalNumber("partial_rotary_factor", in: 0...1)
    for key in ["rope_scaling", "rope_parameters"] {
      guard var rope = try config.object(key) else { continue }
      factor = try rope.optionalNumber("partial_rotary_factor", in: 0...1) ?? factor
    }
    rotaryWidth = Int(Double(sizes.headWidth) * (factor ?? 1))
    guard rotaryWidth >= 2, rotaryWidth % 2 == 0 else {
      throw PlanError(
        .invalid, "\(rotaryWidth) of \(sizes.headWidth) elements of a head would be rotated",
        path: config.place("partial_rotary_factor"),
        fix: "Choose a factor that leaves an even number of at least 2.")
    }
  }

  var cutsMatrices: Bool { true }
  var tiesHead: Bool { sizes.tied }
  var linearModules: [String] { ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"] }

  func graph(_ context: ForwardContext) throws(PlanError) -> LayerGraph {
    _ = try sizes.cutByPlan(context.mesh)
    var decoder = RotaryDecoder(sizes: sizes)
    decoder.rotaryWidth = rotaryWidth
    decoder.window = window
    decoder.slides = [window != nil]
    return try decoder.graph(context) { (f) throws(PlanError) in
      try RMSNorm("norm", weight: "norm.weight", width: sizes.hidden, in: &f)
    } layer: { (f, x, around) throws(PlanError) in
      try layer(around, in: &f)(x, around, in: &f)
    }
  }

  private func layer(_ around: RotaryAttention.Surroundings, in f: inout Forward)
    throws(PlanError) -> DecoderLayer
  {
    let projections = try FusedProjections(sizes, in: &f)
    let mlp = try FusedGatedMLP(
      hidden: sizes.hidden, intermediate: sizes.intermediate, activation: activation, in: &f)
    var layer = DecoderLayer(
      attention: RotaryAttention(
        sizes, projections: projections, window: around.window, form: .sliced),
      feedForward: mlp,
      beforeAttention: try RMSNorm(
        "input_layernorm", weight: "input_layernorm.weight", width: sizes.hidden, in: &f),
      beforeFeedForward: try RMSNorm(
        "post_attention_layernorm", weight: "post_attention_layernorm.weight",
        width: sizes.hidden, in: &f))
    layer.dropsBranches = drops
    return layer
  }

  /// One projection for queries, keys and values, which are slices of its result.
  private struct FusedProjections: AttentionProjections {
    let output: Linear
    private let fused: Linear
    private let sizes: DecoderSizes

    init(_ sizes: DecoderSizes, in f: inout Forward) throws(PlanError) {
      self.sizes = sizes
      let queries = try checkedProduct(sizes.heads, sizes.headWidth)
      let keys = try checkedProduct(sizes.keyHeads, sizes.headWidth)
      output = try f.linear(
        "o_proj", weight: "self_attn.o_proj.weight", input: queries, output: sizes.hidden,
        cut: .splitRows)
      fused = try f.linear(
        "qkv_proj", weight: "self_attn.qkv_proj.weight", input: sizes.hidden,
        output: queries + 2 * keys, cut: .gatheredColumns)
    }

    func callAsFunction(_ x: Value, copiesValue: Bool, in f: inout Forward)
      throws(PlanError) -> (q: Value, k: Value, v: Value)
    {
      let width = sizes.headWidth
      let qkv = f.local(try f.project(x, fused))
      var q = f.local(try f.slice(qkv, columns: sizes.heads * width))
      var k = f.local(try f.slice(qkv, columns: sizes.keyHeads * width))
      var v = f.local(try f.slice(qkv, columns: sizes.keyHeads * width))
      q = f.local(try f.heads(q, width: width, copies: sizes.heads > 1), replacing: q)
      k = f.local(try f.heads(k, width: width, copies: sizes.keyHeads > 1), replacing: k)
      v = f.local(try f.heads(v, width: width, copies: copiesValue), replacing: v)
      return (q, k, v)
    }
  }

  /// One projection for gate and up, which are halves of its result.
  private struct FusedGatedMLP: FeedForward {
    private let up: Linear
    private let down: Linear
    private let activation: Activation

    init(
      hidden: Int, intermediate: Int, activation: Activation, in f: inout Forward
    ) throws(PlanError) {
      self.activation = activation
      up = try f.linear(
        "gate_up_proj", weight: "mlp.gate_up_proj.weight", input: hidden,
        output: 2 * intermediate, cut: .gatheredColumns)
      down = try f.linear(
        "down_proj", weight: "mlp.down_proj.weight", input: intermediate, output: hidden,
        cut: .splitRows)
    }

    func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
      f.enter("mlp", holding: x)
      let both = f.local(try f.project(x, up))
      let halves = try f.halves(both)
      _ = f.local(halves.0)
      var states = f.local(halves.1, replacing: both)
      let product = try f.multiply(states, try f.activate(halves.0, activation))
      states = f.local(product, replacing: states)
      return f.leave(try f.project(states, down))
    }
  }
}

/// How many experts a layer has, and how large they are.
struct MegatronExpertSizes: Hashable, Sendable {
  var count: Int
  /// Experts that a token goes to (`moe_router_topk`).
  var choices: Int
  /// Elements between the two matrices of one expert (`moe_ffn_hidden_size`).
  var feedForward: Int
  /// The same of the experts that all tokens go to, or `nil` (`moe_shared_expert_intermediate_size`).
  var shared: Int?
  /// Which layers have experts: a pattern behind ``leadingDense``.
  var pattern = [true]
  /// Layers ahead of it without experts.
  var leadingDense = 0
  /// Whether all experts run as one grouped product (`moe_grouped_gemm`).
  var isGrouped = false
}

/// A mixture of experts: router, all-to-all, the experts of this device, and the way back.
///
/// Tokens spread evenly. Rows of the experts weigh by their probability inside the activation.
///
/// Source: `MoELayer`, `TopKRouter`, `MoEAlltoAllTokenDispatcher` and `TEGroupedMLP` in `megatron/core/transformer/moe`, core
/// 0.16.1.
struct MegatronExperts: MegatronFeedForward {
  private let norm: MegatronNorm
  private let router: Parameter
  private let first: Parameter
  private let second: Parameter
  private let shared: (first: Parameter, second: Parameter)?
  private let sizes: MegatronExpertSizes
  private let hidden: Int
  private let isGated: Bool
  private let tokens: MegatronTokens
  private let local: Int
  private let tensor: Int
  /// Experts add their biases themselves, and are planned without.
  var outputBias: Parameter? { nil }

  /// Declares its weights.
  init(
    _ sizes: MegatronSizes, _ experts: MegatronExpertSizes, _ tokens: MegatronTokens,
    in f: inout Forward
  ) throws(PlanError) {
    (self.sizes, self.tokens, hidden, isGated) = (experts, tokens, sizes.hidden, sizes.isGated)
    let mesh = f.context.mesh
    guard experts.count % mesh.expert == 0 else {
      throw PlanError(
        .invalid, "\(experts.count) experts cannot be shared by \(mesh.expert) devices",
        path: "strategies.expert_parallel.degree", fix: "Choose a degree that divides them.")
    }
    tensor = f.context.megatron.expertTensorDegree ?? mesh.tensor
    guard experts.feedForward % tensor == 0, (experts.shared ?? 0) % mesh.tensor == 0 else {
      throw PlanError(
        .invalid, "experts of \(experts.feedForward) elements cannot be cut over \(tensor) devices",
        path: "strategies.tensor_parallel.degree", fix: "Choose a degree that divides them.")
    }
    local = experts.count / mesh.expert
    let (width, times) = (experts.feedForward / tensor, sizes.isGated ? 2 : 1)
    norm = try f.megatronNorm("pre_mlp_layernorm.weight", sizes, width: sizes.hidden)
    router = try f.parameter("mlp.router.weight", experts.count, sizes.hidden)
    first = try f.parameter(
      "mlp.experts.linear_fc1.weight", try checkedProduct(local, times, width), sizes.hidden)
    second = try f.parameter(
      "mlp.experts.linear_fc2.weight", try checkedProduct(local, sizes.hidden), width)
    f.route(first, to: experts.choices, of: experts.count)
    f.route(second, to: experts.choices, of: experts.count)
    f.stack(first, of: local)
    f.stack(second, of: local)
    shared = try experts.shared.map { (elements) throws(PlanError) in
      let part = elements / mesh.tensor
      return (
        try f.parameter("mlp.shared_experts.linear_fc1.weight", times * part, sizes.hidden),
        try f.parameter("mlp.shared_experts.linear_fc2.weight", sizes.hidden, part)
      )
    }
  }

  func callAsFunction(_ x: Value, in f: inout Forward) throws(PlanError) -> Value {
    f.enter("mlp", holding: x)
    let normed = f.local(try f.norm(x, norm))
    let common = try shared.map { (shared) throws(PlanError) in
      let wide = f.local(try f.parallelProduct(normed, shared.first, cut: .column))
      let active = f.local(
        try f.fusedActivation(wide, bias: nil, gated: isGated), replacing: wide)
      let sum = f.local(try f.parallelProduct(active, shared.second, cut: .row))
      f.forget(active)
      return sum
    }
    let probabilities = f.local(try f.routing(normed, router, choices: sizes.choices))
    let rows = try checkedProduct(normed.spec.rows, sizes.choices)
    // Each row with its probability; a device keeps as many as it sends where tokens spread evenly.
    let (permuted, weights) = try f.permuted(normed, probabilities, rows: rows)
    var (sent, probability) = (f.local(permuted), f.local(weights))
    if f.context.mesh.expert > 1 {
      sent = f.local(try f.exchanged(sent, "all_to_all", rows: rows), replacing: sent)
      probability = f.local(try f.exchanged(probability, "all_to_all", rows: rows), replacing: probability)
    }
    let all = try checkedProduct(rows, tensor)
    if tensor > 1 {
      sent = f.local(try f.exchanged(sent, "gather_experts_input", rows: all), replacing: sent)
      probability = f.local(
        try f.exchanged(probability, "gather_probabilities", rows: all), replacing: probability)
    }
    if local > 1 {
      sent = f.local(try f.exchanged(sent, "sort_chunks", rows: all), replacing: sent)
      probability = f.local(try f.exchanged(probability, "sort_chunks", rows: all), replacing: probability)
    }
    var output = f.local(try run(sent, probability, in: &f))
    if local > 1 { output = f.local(try f.exchanged(output, "sort_chunks", rows: all), replacing: output) }
    if tensor > 1 {
      output = f.local(try f.exchanged(output, "scatter_experts_output", rows: rows), replacing: output)
    }
    if f.context.mesh.expert > 1 {
      output = f.local(try f.exchanged(output, "all_to_all", rows: rows), replacing: output)
    }
    let back = try f.exchanged(output, "unpermute", rows: normed.spec.rows)
    guard let common else { return f.leave(f.local(back)) }
    return f.leave(f.local(try f.add(back, common)))
  }

  /// The two products with the activation between them, over the rows of all experts.
  private func run(_ rows: Value, _ probability: Value, in f: inout Forward) throws(PlanError)
    -> Value
  {
    f.enter("experts", holding: rows, probability)
    if sizes.isGrouped { f.program.groupsProducts = true }
    let width = sizes.feedForward / tensor
    let wide = f.local(try f.expertProduct(rows, first, columns: isGated ? 2 * width : width))
    let active = f.local(try f.weightedActivation(wide, probability, gated: isGated))
    return f.leave(try f.expertProduct(active, second, columns: hidden))
  }
}

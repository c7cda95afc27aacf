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
    let sharers = try checkedProduct(tensor, mesh.expert)
    first = try f.cutParameter(
      "mlp.experts.linear_fc1.weight", try checkedProduct(local, times, width), sizes.hidden,
      over: sharers)
    second = try f.cutParameter(
      "mlp.experts.linear_fc2.weight", try checkedProduct(local, sizes.hidden), width,
      over: sharers)
    f.route(first, to: experts.choices, of: experts.count)
    f.route(second, to: experts.choices, of: experts.count)
    f.stack(first, of: local)
    f.stack(second, of: local)
    shared = try experts.shared.map { (elements) throws(PlanError) in
      let part = elements / mesh.tensor
      return (
        try f.cutParameter("mlp.shared_experts.linear_fc1.weight", times * part, sizes.hidden),
        try f.cutParameter("mlp.shared_experts.linear_fc2.weight", sizes.hidden, part)
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
    let back =
      f.context.megatron.dispatcher == .allToAll
      ? try exchanged(normed, probabilities, in: &f) : try gathered(normed, probabilities, in: &f)
    guard let common else { return f.leave(f.local(back)) }
    return f.leave(f.local(try f.add(back, common)))
  }

  /// Devices send each other rows, and get them back; even loads make as many come as go.
  private func exchanged(_ x: Value, _ probabilities: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let rows = try checkedProduct(x.spec.rows, sizes.choices)
    let all = try checkedProduct(rows, tensor)
    let travels = f.context.mesh.expert > 1
    let (permuted, weights) = try f.permuted(x, probabilities, rows: rows)
    var (sent, weight) = (f.local(permuted), f.local(weights))
    func step(_ name: StaticString, _ rows: Int, _ f: inout Forward) throws(PlanError) {
      sent = f.local(try f.exchanged(sent, name, rows: rows), replacing: sent)
      weight = f.local(try f.exchanged(weight, name, rows: rows), replacing: weight)
    }
    if travels { try step("all_to_all", rows, &f) }
    if tensor > 1 { try step("gather_from_sequence_parallel_region", all, &f) }
    if local > 1 { try step("sort_chunks", all, &f) }
    var output = f.local(try run(sent, weight, in: &f))
    func back(_ name: StaticString, _ rows: Int, _ f: inout Forward) throws(PlanError) {
      output = f.local(try f.exchanged(output, name, rows: rows), replacing: output)
    }
    if local > 1 { try back("sort_chunks", all, &f) }
    if tensor > 1 { try back("reduce_scatter_to_sequence_parallel_region", rows, &f) }
    if travels { try back("all_to_all", rows, &f) }
    return try f.exchanged(output, "unpermute", rows: x.spec.rows)
  }

  /// Every device gathers all tokens, in a buffer that stays, and takes the rows of its experts.
  private func gathered(_ x: Value, _ probabilities: Value, in f: inout Forward)
    throws(PlanError) -> Value
  {
    let ranks = try checkedProduct(tensor, f.context.mesh.expert)
    let tokens = try checkedProduct(x.spec.rows, ranks)
    let rows = try checkedProduct(x.spec.rows, sizes.choices, tensor)
    var all = probabilities
    if ranks > 1 {
      all = f.local(try f.exchanged(all, "gather_from_sequence_parallel_region", rows: tokens))
    }
    let (permuted, weights) = try f.permuted(x, all, rows: rows)
    let (sent, weight) = (f.local(permuted), f.local(weights))
    let output = f.local(try run(sent, weight, in: &f))
    let restored = try f.exchanged(output, "unpermute", rows: tokens)
    guard ranks > 1 else { return restored }
    return try f.exchanged(
      restored, "reduce_scatter_to_sequence_parallel_region", rows: x.spec.rows)
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

/// Keeps only the input of chosen layers and computes the rest again in backward.
///
/// As `torch.utils.checkpoint` does it: non-reentrant by default, where the recomputation ends at the last tensor
/// that backward needs; reentrant runs the whole layer again.
///
/// Source: Chen et al. 2016, arXiv:1604.06174; `torch/utils/checkpoint.py`, PyTorch 2.11.
public struct ActivationCheckpointing: Strategy {
  /// See ``Strategy/name``.
  public static let name = "checkpointing"
  /// See ``Strategy/summary``.
  public static let summary =
    "Keeps only the input of chosen layers; backward computes the rest again (gradient checkpointing)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.retention
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.retention]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] =
    [
      SettingKey(
        "policy", .choice(of: PolicyName.self), default: "full", "which layers are computed again"),
      SettingKey(
        needed: "interval", .integer(1...100_000), "layers 0, k, 2k, … are checkpointed",
        with: .key("policy", "every")),
      SettingKey(
        needed: "layers", .integer(0...100_000), "how many layers from the first on",
        with: .key("policy", "first", "mixed")),
      SettingKey(
        needed: "layers", .integers(0...100_000), "the layers by their numbers, from 0 on",
        with: .key("policy", "layers")),
      SettingKey(
        "layers", .integer(0...100_000), otherwise: "every layer",
        "how many layers from the first on; the others keep all",
        with: .key("policy", "selective", "min_cut")),
      SettingKey(
        needed: "operations", SavedOperations.values,
        "operators whose results are kept, or torchtitan's list",
        with: .key("policy", "selective")),
      SettingKey(
        needed: "memory_budget", .number(0...1), "share of the default's bytes that is kept",
        with: .key("policy", "min_cut")),
      SettingKey(
        needed: "first", LayerOption.values,
        "what the first layers do: an operator list, or a budget",
        with: .key("policy", "mixed")),
      SettingKey(
        needed: "rest", LayerOption.values, "what the other layers do",
        with: .key("policy", "mixed")),
      SettingKey(
        "budget", .other("a size", "18GiB"), otherwise: "what the device offers",
        "what the process may take, its context included", with: .key("policy", "auto")),
      SettingKey(
        "reentrant", .truth, default: false, "use_reentrant=True; not with operators or budgets"),
      SettingKey(
        "early_stop", .truth, default: true, "recomputation stops at the last saved tensor"),
    ] + MegatronRecompute.keys

  /// Which layers are checkpointed.
  public enum Policy: Hashable, Sendable {
    /// No layer.
    case none
    /// Every layer.
    case full
    /// Layers 0, k, 2k, …
    case every(Int)
    /// The first n layers.
    case first(Int)
    /// These layers, in rising order.
    case layers([Int])
    /// The first n layers, or every one, without the results of these operators.
    case selective(SavedOperations, layers: Int? = nil)
    /// What a minimum cut keeps within a memory budget from 0 to 1, in the first n layers or in every one.
    case minCut(budget: Double, layers: Int? = nil)
    /// The first n layers in one way, all others in another.
    case mixed(first: LayerOption, layers: Int, rest: LayerOption)
    /// The fastest that fits the device, or so many bytes of it.
    case auto(budget: Bytes? = nil)
  }

  /// Which layers are checkpointed.
  public let policy: Policy
  /// Whether checkpoints are reentrant (`use_reentrant=True`).
  public let reentrant: Bool
  /// Whether a scenario says that they are not, where a framework's are by default.
  private let isStatedNot: Bool
  /// Whether a recomputation ends at the last tensor that backward needs.
  public let earlyStop: Bool

  /// Checkpoints the layers of a policy.
  public init(_ policy: Policy, reentrant: Bool = false, earlyStop: Bool = true) {
    self.init(policy, reentrant: reentrant, isStatedNot: false, earlyStop: earlyStop)
  }

  private init(_ policy: Policy, reentrant: Bool, isStatedNot: Bool, earlyStop: Bool) {
    self.policy = policy
    self.reentrant = reentrant
    self.earlyStop = earlyStop
    self.isStatedNot = isStatedNot
    modules = []
  }

  private enum PolicyName: String, CaseIterable {
    case none, full, every, first, layers, selective, mixed, auto
    case minCut = "min_cut"
  }

  /// Parts of each layer of Megatron's that are recomputed.
  let modules: Set<MegatronOptions.Module>

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    if let megatron = try MegatronRecompute(&settings) {
      (policy, modules) = (megatron.policy, megatron.modules)
      (reentrant, earlyStop, isStatedNot) = (false, true, false)
      return
    }
    modules = []
    switch try settings.choice("policy") as PolicyName {
    case .none: policy = .none
    case .full: policy = .full
    case .every: policy = .every(try settings.integer("interval"))
    case .first: policy = .first(try settings.integer("layers"))
    case .layers:
      guard let layers = try settings.optionalIntegers("layers") else {
        throw PlanError(
          .invalid, "\"layers\" is missing", path: settings.place("layers"),
          fix: "Add the layers to checkpoint: [0, 3, 7].")
      }
      policy = .layers(Set(layers).sorted())
    case .selective:
      let operations = try SavedOperations("operations", in: &settings)
      policy = .selective(
        operations, layers: try settings.optionalInteger("layers"))
    case .minCut:
      policy = .minCut(
        budget: try MinCutPolicy.budget("memory_budget", in: &settings),
        layers: try settings.optionalInteger("layers"))
    case .mixed:
      policy = .mixed(
        first: try LayerOption("first", in: &settings),
        layers: try settings.integer("layers"),
        rest: try LayerOption("rest", in: &settings))
    case .auto: policy = .auto(budget: try Self.budget(&settings))
    }
    isStatedNot = settings.value("reentrant") == .bool(false)
    reentrant = try settings.bool("reentrant")
    if reentrant, policy.isSelective {
      throw PlanError(
        .conflict,
        "\(policy.usesMinCut ? "a minimum cut" : "a selective checkpoint") cannot be reentrant",
        path: settings.place("reentrant"),
        fix: "Leave \"reentrant\" out: torch's selective checkpoints are not.")
    }
    earlyStop = try settings.bool("early_stop")
  }

  private static func budget(_ settings: inout Settings) throws(PlanError) -> Bytes? {
    guard let text = try settings.optionalString("budget") else { return nil }
    guard let bytes = Bytes(size: text) else {
      throw PlanError(
        .invalid, "\"\(text.prefix(80))\" is no size", path: settings.place("budget"),
        fix: "Write a number with its unit, such as \"18GiB\" or \"24GB\".")
    }
    return bytes
  }

  /// See ``Strategy/label``.
  public var label: String {
    let layers =
      switch policy {
      case .none where !modules.isEmpty: "core attention in every layer"
      case .none: "no layer"
      case .full: "every layer"
      case .every(1): "every layer"
      case .every(let interval): "every \(interval). layer"
      case .first(let layers): "the first \(layers) layers"
      case .layers(let layers): "\(layers.count) chosen layers"
      case .selective(let operations, let layers):
        (layers.map { "the first \($0) layers" } ?? "every layer") + " but for \(operations.label)"
      case .minCut(let budget, let layers):
        (layers.map { "the first \($0) layers" } ?? "every layer")
          + " but for what a memory budget of \(budget) keeps"
      case .mixed(let first, let layers, let rest):
        "\(first.label) in the first \(layers) layers, \(rest.label) in the others"
      case .auto: "as many layers as it takes"
      }
    return "checkpointing of " + layers + (reentrant ? ", reentrant" : "")
  }

  /// As a scenario spells it.
  var setting: JSONValue {
    var members: [JSONValue.Member] =
      switch policy {
      case .none: [.init("policy", "none")]
      case .full: [.init("policy", "full")]
      case .every(let interval): [.init("policy", "every"), .init("interval", .integer(interval))]
      case .first(let layers): [.init("policy", "first"), .init("layers", .integer(layers))]
      case .layers(let layers):
        [.init("policy", "layers"), .init("layers", .array(layers.map { .integer($0) }))]
      case .selective(let operations, let layers):
        [.init("policy", "selective"), .init("operations", operations.setting)]
          + (layers.map { [.init("layers", .integer($0))] } ?? [])
      case .minCut(let budget, let layers):
        [.init("policy", "min_cut"), .init("memory_budget", .number(budget))]
          + (layers.map { [.init("layers", .integer($0))] } ?? [])
      case .mixed(let first, let layers, let rest):
        [
          .init("policy", "mixed"), .init("first", first.setting),
          .init("layers", .integer(layers)), .init("rest", rest.setting),
        ]
      case .auto(let budget):
        [.init("policy", "auto")]
          + (budget.map { [.init("budget", .string("\($0.count >> 20)MiB"))] } ?? [])
      }
    if reentrant || isStatedNot { members.append(.init("reentrant", .bool(reentrant))) }
    if !earlyStop { members.append(.init("early_stop", false)) }
    return .object(members)
  }

  /// The same with other layers.
  func with(_ policy: Policy) -> Self {
    Self(policy, reentrant: reentrant, isStatedNot: isStatedNot, earlyStop: earlyStop)
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    // Megatron's checkpoints are reentrant: the whole layer runs again. Without a pipeline they are run as such. So are
    // those of DeepSpeed's pipelines (`use_reentrant`, true by default).
    let isMegatrons = plan.context.framework == .megatron
    let isDeepSpeeds = plan.context.framework == .deepspeed && !isStatedNot
    let again = Retention.recompute(
      reentrant: reentrant || isDeepSpeeds || isMegatrons && plan.pipeline == nil)
    plan.earlyStop = earlyStop && !isMegatrons
    plan.retainsPerStage = isMegatrons
    plan.context.megatron.recomputes = modules
    plan.context.checkpoints = checkpointsAny
    plan.context.enablesCheckpointing = policy == .full
    // `gradient_checkpointing_enable` makes the embedding's output want a gradient under adapters; layers that are
    // wrapped one by one go without, unless they are reentrant: their adapters would get none.
    plan.context.inputRequiresGradient =
      plan.context.checkpoints && (policy == .full || reentrant) && !isDeepSpeeds
    if policy.usesMinCut { plan.assumptions.append(MinCutPolicy.assumption) }
    switch policy {
    case .none: break
    case .full: plan.retentionPieces = { [RetentionPiece(pattern: [again], layers: $0)] }
    case .every(let interval):
      plan.retentionPieces = { layers in
        let interval = min(interval, max(layers, 1))
        let pattern = [again] + Array(repeating: .keep, count: interval - 1)
        return [RetentionPiece(pattern: pattern, layers: layers)]
      }
    case .first(let first): plan.retentionPieces = Self.ahead(first, again)
    case .selective(let operations, let first):
      plan.retentionPieces = Self.ahead(first ?? .max, .selective(operations))
    case .minCut(let budget, let first):
      plan.retentionPieces = Self.ahead(first ?? .max, .minCut(budget: budget))
    case .mixed(let first, let count, let rest):
      plan.retentionPieces = Self.ahead(
        count, first.retention(reentrant: reentrant), rest.retention(reentrant: reentrant))
    case .layers(let chosen):
      plan.retentionPieces = { layers in
        var pieces: [RetentionPiece] = []
        var next = 0
        for layer in chosen where layer < layers {
          pieces.append(RetentionPiece(pattern: [.keep], layers: layer - next))
          pieces.append(RetentionPiece(pattern: [again], layers: 1))
          next = layer + 1
        }
        return (pieces + [RetentionPiece(pattern: [.keep], layers: layers - next)]).joined
      }
    // Chosen before anything is decided; what asks about decisions alone takes every layer.
    case .auto: plan.retentionPieces = { [RetentionPiece(pattern: [again], layers: $0)] }
    }
  }

  /// Whether any layer is checkpointed.
  private var checkpointsAny: Bool {
    switch policy {
    case .none, .first(0), .layers([]), .selective(_, layers: 0), .minCut: false
    case .mixed(let first, let layers, let rest):
      first.isCheckpoint && layers > 0 || rest.isCheckpoint
    default: true
    }
  }

  /// The first layers in one way, all others in another.
  private static func ahead(_ first: Int, _ retention: Retention, _ rest: Retention = .keep)
    -> @Sendable (Int) -> [RetentionPiece]
  {
    { layers in
      let first = min(first, layers)
      return [
        RetentionPiece(pattern: [retention], layers: first),
        RetentionPiece(pattern: [rest], layers: layers - first),
      ]
    }
  }
}

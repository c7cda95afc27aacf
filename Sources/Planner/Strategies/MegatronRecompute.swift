/// Recomputation as Megatron-LM's arguments spell it.
///
/// `recompute_granularity` is `full`, with `recompute_method` and `recompute_num_layers`, or `selective`, with
/// `recompute_modules`. `uniform` with one layer is every layer, `block` the first layers of each stage.
///
/// Source: `megatron/core/transformer/transformer_config.py` and `transformer_block.py`, core 0.16.1.
struct MegatronRecompute {
  /// What whole layers are recomputed.
  let policy: ActivationCheckpointing.Policy
  /// Parts of each layer that are.
  let modules: Set<MegatronOptions.Module>

  private enum Granularity: String, CaseIterable { case full, selective }
  private enum Method: String, CaseIterable { case uniform, block }

  /// What it reads among the settings of checkpointing, under `"framework": "megatron"`.
  static let keys = [
    SettingKey(
      "recompute_granularity", .choice(of: Granularity.self), otherwise: "\"policy\" says it",
      "Megatron's: whole layers, or parts of each"),
    SettingKey(
      needed: "recompute_method", .choice(of: Method.self), "every layer, or the first of a stage",
      with: .key("recompute_granularity", "full")),
    SettingKey(
      "recompute_num_layers", .integer(0...100_000), default: 1,
      "how many layers with block; 1 with uniform", with: .key("recompute_granularity", "full")),
    SettingKey(
      "recompute_modules",
      .other(
        "a list of "
          + MegatronOptions.Module.allCases.map { JSONWriter.line(.string($0.rawValue)) }
          .joined(separator: ", "), ["core_attn"]), default: ["core_attn"],
      "parts of each layer that are computed again",
      with: .key("recompute_granularity", "selective")),
  ]

  /// Reads the arguments, or nothing where there are none.
  init?(_ settings: inout Settings) throws(PlanError) {
    guard settings.has("recompute_granularity") else { return nil }
    if settings.has("policy") {
      throw PlanError(
        .conflict, "\"policy\" and \"recompute_granularity\" say the same in two ways",
        path: settings.place("policy"), fix: "Leave one of the two out.")
    }
    let granularity: Granularity = try settings.choice("recompute_granularity")
    guard granularity == .full else {
      policy = .none
      modules = try Self.modules(&settings)
      return
    }
    modules = []
    let method: Method = try settings.choice("recompute_method")
    let layers = try settings.integer("recompute_num_layers")
    switch method {
    case .block: policy = .first(layers)
    case .uniform:
      guard layers == 1 else {
        throw PlanError(
          .unsupported, "checkpoints of several layers each are not planned",
          path: settings.place("recompute_num_layers"), fix: "Use 1, or \"block\".")
      }
      policy = .full
    }
  }

  private static func modules(_ settings: inout Settings) throws(PlanError)
    -> Set<MegatronOptions.Module>
  {
    guard let names = try settings.optionalStrings("recompute_modules") else {
      return [.coreAttention]
    }
    var modules: Set<MegatronOptions.Module> = []
    for name in names {
      guard let module = MegatronOptions.Module(rawValue: name) else {
        throw PlanError(
          .unsupported, "recomputing \"\(name.prefix(80))\" is not planned",
          path: settings.place("recompute_modules"),
          fix:
            "Use \(MegatronOptions.Module.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))."
        )
      }
      modules.insert(module)
    }
    return modules
  }
}

/// Which weights an optimizer keeps low-rank states for, and how low.
///
/// Source: `_setup_low_rank_optimizer` in `transformers/trainer_optimizer.py` and `check_target_module_exists` in
/// `transformers/trainer_utils.py`, transformers 5.17.
struct LowRankProjection: Sendable {
  /// The rank of the projected gradients.
  let rank: Int
  /// Pieces of the names of the modules whose weights are projected, or `nil` for every `nn.Linear`.
  let targets: [String]?
  private let place: String

  /// What it reads among the settings of an optimizer.
  static let keys = [
    SettingKey("rank", .integer(1...65_536), default: 128, "rank that gradients are projected to"),
    SettingKey(
      "target_modules", .texts, otherwise: "every linear module",
      "pieces of module names, such as [\"attn\", \"mlp\"]"),
    SettingKey(
      "update_proj_gap", .integer(1...1_000_000_000), otherwise: "the package's",
      "steps between new projections; one that makes them counts"),
    SettingKey(
      "scale", .number(0...1e9), otherwise: "the package's", "of the update; changes no memory"),
    SettingKey(
      "proj_type", .choice(of: Side.self), default: "std", "the longer side is projected"),
  ]

  /// Reads `rank`, `target_modules`, `update_proj_gap`, `scale` and `proj_type`.
  ///
  /// The gap and the scale change no size: the step that makes new projections counts, however rare it is.
  init(_ settings: inout Settings) throws(PlanError) {
    place = settings.place("target_modules")
    rank = try settings.integer("rank")
    _ = try settings.optionalInteger("update_proj_gap")
    _ = try settings.optionalNumber("scale")
    let _: Side = try settings.choice("proj_type")
    let names = try settings.optionalStrings("target_modules")
    targets = names == ["all-linear"] ? nil : names
    for name in targets ?? [] where !name.utf8.allSatisfy(Self.isNameByte) || name.isEmpty {
      throw PlanError(
        .unsupported, "\"\(name.prefix(80))\" is no piece of a module's name", path: place,
        fix: "Write pieces of names, such as [\"attn\", \"mlp\"], or [\"all-linear\"].")
    }
  }

  /// Which side of the gradient is projected: `std`, the longer one.
  private enum Side: String, CaseIterable { case std }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Whether a weight's gradients are projected: the weights of `nn.Linear` modules that a target names.
  func applies(to weight: TrainedWeight) -> Bool {
    guard weight.isLinear else { return false }
    guard let targets else { return true }
    let module = weight.name.description.dropLast(".weight".count)
    return targets.contains { module.contains($0) }
  }

  /// Throws when nothing is projected, or when adapters are.
  func check(_ weights: [TrainedWeight]) throws(PlanError) {
    for weight in weights where weight.name.description.hasPrefix("lora_") {
      throw PlanError(
        .conflict, "low-rank adapters have no large gradients to project", path: "optimizer",
        fix: "Use \"adamw\" with \"lora\", or leave \"lora\" out.")
    }
    if weights.contains(where: applies) { return }
    var modules: [String] = []
    for weight in weights where weight.isLinear {
      modules.append(String(weight.name.description.dropLast(".weight".count)))
    }
    throw PlanError(
      .unknown, "no linear layer's name has \((targets ?? []).joined(separator: ", ").prefix(80))",
      path: place, fix: "Name pieces of: \(modules.prefix(12).joined(separator: ", ")).")
  }

  /// Splits the weights as the parameter groups do: those without a projection come first.
  func groups(_ step: OptimizerStep) -> (plain: OptimizerStep, projected: OptimizerStep) {
    var (plain, projected) = (step, step)
    plain.keep { !applies(to: $0.trained) }
    projected.keep { applies(to: $0.trained) }
    return (plain, projected)
  }

  /// What the reader should know.
  var assumption: Assumption {
    let modules = targets.map { "linear layers with \($0.joined(separator: ", ")) in their name" }
    return Assumption(
      "projected_weights",
      "rank \(rank) for \(modules ?? "every linear layer, the head too where it is not tied")",
      source: "transformers 5.17, trainer_optimizer.py")
  }
}

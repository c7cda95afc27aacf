/// Reads `kernels` and `loss`, and checks that model and workload allow them.
extension ScenarioReader {
  static let lossKeys = [
    SettingKey(
      "implementation", .choice(of: LossName.self), default: "transformers",
      "today's, that up to 4.48, or torchtune's by chunks"),
    SettingKey(
      "chunks", .integer(1...256), default: 8, "pieces of the sequence",
      with: .key("implementation", "chunked")),
  ]

  func readKernelSet(_ settings: inout Settings, model: Model) throws(PlanError) -> KernelSet {
    let kernels = try settings.choice("kernels") as KernelSet
    let family = type(of: model.family).modelType
    if let families = kernels.layers.families, !families.contains(family) {
      throw .otherKernels(kernels, family, families)
    }
    if settings.has("loss"), kernels.layers.loss != nil { throw .ownLoss(of: kernels) }
    return kernels
  }

  func readLoss(_ settings: inout Settings, model: Model, keepsOutputs: Bool) throws(PlanError)
    -> LossImplementation
  {
    guard var options = try settings.object("loss") else { return .transformers }
    let name = try options.choice("implementation") as LossName
    if model.family.isEncoderDecoder, name != .transformers {
      throw .oneLoss(type(of: model.family).modelType)
    }
    let loss: LossImplementation
    switch name {
    case .transformers: loss = .transformers
    case .transformers448:
      let family = type(of: model.family).modelType
      guard !ShiftedLogitsLoss.exceptions.contains(family) else { throw .ownLoss(family) }
      loss = .transformers448
    case .chunked:
      guard !keepsOutputs else { throw .keptChunks }
      loss = .chunked(try options.integer("chunks"))
    }
    try options.finish()
    return loss
  }
}

private enum LossName: String, CaseIterable {
  case transformers
  case transformers448 = "transformers-4.48"
  case chunked
}

extension PlanError {
  fileprivate static func otherKernels(_ kernels: KernelSet, _ family: String, _ families: [String])
    -> Self
  {
    Self(
      .unsupported, "\(kernels.rawValue) kernels for \(family) cannot be planned", path: "kernels",
      fix: "Use \"torch\", or a model of: \(families.joined(separator: ", ")).")
  }
  fileprivate static func ownLoss(of kernels: KernelSet) -> Self {
    Self(
      .invalid, "\(kernels.rawValue) kernels bring a loss of their own", path: "loss",
      fix: "Leave out \"loss\", or use \"torch\" kernels.")
  }
  fileprivate static func ownLoss(_ family: String) -> Self {
    Self(
      .unsupported, "transformers 4.48 had another loss for \(family), which is not planned",
      path: "loss.implementation", fix: "Use \"transformers\".")
  }
  fileprivate static func oneLoss(_ family: String) -> Self {
    Self(
      .unsupported, "\(family) computes a loss of its own, and no other is planned",
      path: "loss.implementation", fix: "Use \"transformers\".")
  }
  fileprivate static var keptChunks: Self {
    Self(
      .unsupported, "a chunked loss with kept outputs cannot be planned",
      path: "loss.implementation",
      fix: "Set workload.keep_outputs to false: torchtune lets go of the logits before backward.")
  }
}

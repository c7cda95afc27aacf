/// Reads `megatron`: what a run of Megatron-LM chooses, by the names of its arguments.
extension ScenarioReader {
  func readMegatron(_ settings: inout Settings, _ framework: Framework) throws(PlanError)
    -> MegatronOptions
  {
    var options = MegatronOptions()
    if framework == .megatron { try refuseOthersKeys(settings) }
    guard var keys = try settings.object("megatron") else { return options }
    guard framework == .megatron else {
      throw PlanError(
        .conflict, "\"megatron\" says how Megatron runs, and the framework is another one",
        path: "megatron", fix: "Write \"framework\": \"megatron\", or leave it out.")
    }
    options.usesLegacyModels = try keys.bool("use_legacy_models", default: false)
    options.implementation = try keys.choice(
      "transformer_impl", default: options.usesLegacyModels ? .local : .transformerEngine)
    if options.usesLegacyModels, options.implementation != .local {
      throw PlanError(
        .unsupported, "legacy models are planned with Megatron's own layers",
        path: "megatron.transformer_impl", fix: "Use \"local\", or leave \"use_legacy_models\" out."
      )
    }
    options.attention = try keys.choice("attention_backend", default: .auto)
    if try keys.bool("cross_entropy_loss_fusion", default: false) {
      options.crossEntropy = try keys.choice("cross_entropy_fusion_impl", default: .native)
    }
    options.fusesGradientAccumulation = try keys.bool("gradient_accumulation_fusion", default: true)
    options.fusesBiasDropout = try keys.bool("bias_dropout_fusion", default: true)
    options.makesMask = try keys.bool("create_attention_mask_in_dataloader", default: true)
    options.expertTensorDegree = try keys.optionalInteger(
      "expert_tensor_parallel_size", in: 1...1024)
    options.dispatcher = try keys.choice("moe_token_dispatcher_type", default: .allGather)
    options.productWorkspace = try Self.workspace(&keys)
    try keys.finish()
    return options
  }

  /// Keys that choose among kernels which Megatron does not run.
  private func refuseOthersKeys(_ settings: Settings) throws(PlanError) {
    for (key, instead) in [
      ("attention", "Use \"megatron\": { \"attention_backend\": … }."),
      ("kernels", "Leave it out: Megatron brings its own."),
      ("loss", "Use \"megatron\": { \"cross_entropy_loss_fusion\": … }."),
    ] where settings.has(key) {
      throw PlanError(
        .conflict, "\"\(key)\" says nothing about Megatron", path: key, fix: instead)
    }
  }

  /// `":4096:8"`: pairs of a size in KiB and a number.
  private static func workspace(_ keys: inout Settings) throws(PlanError) -> Int? {
    guard let text = try keys.optionalString("cublas_workspace_config") else { return nil }
    let parts = text.split(separator: ":").map { Int($0) }
    var total = 0
    for index in stride(from: 0, to: parts.count, by: 2) {
      guard index + 1 < parts.count, let size = parts[index], let count = parts[index + 1],
        1...1_048_576 ~= size, 1...1024 ~= count
      else { throw .badWorkspace(text, keys.place("cublas_workspace_config")) }
      total += size * count * 1024
    }
    guard total > 0 else { throw .badWorkspace(text, keys.place("cublas_workspace_config")) }
    return total
  }
}

extension PlanError {
  fileprivate static func badWorkspace(_ text: String, _ path: String) -> Self {
    Self(
      .invalid, "\"\(text.prefix(80))\" is no CUBLAS_WORKSPACE_CONFIG", path: path,
      fix: "Write sizes in KiB and numbers, as in \":4096:8\".")
  }
}

/// Reads `megatron`: what a run of Megatron-LM chooses, by the names of its arguments.
extension ScenarioReader {
  static let megatronKeys = [
    SettingKey(
      "transformer_impl", .choice(of: MegatronOptions.Implementation.self),
      otherwise: "\"transformer_engine\", of legacy models \"local\"", "whose layers run"),
    SettingKey(
      "use_legacy_models", .truth, default: false, "models of before Megatron core, until 2023"),
    SettingKey(
      "attention_backend", .choice(of: MegatronOptions.AttentionBackend.self), default: "auto",
      "which kernel computes attention"),
    SettingKey(
      "cross_entropy_loss_fusion", .truth, default: false, "the loss by fused kernels"),
    SettingKey(
      "cross_entropy_fusion_impl", .choice(of: MegatronOptions.CrossEntropy.self),
      default: "native", "which: compiled pieces, or Transformer Engine's",
      with: .key("cross_entropy_loss_fusion", true)),
    SettingKey(
      "gradient_accumulation_fusion", .truth, default: true,
      "products add weight gradients to the fp32 buffer themselves"),
    SettingKey(
      "bias_dropout_fusion", .truth, default: true, "bias, dropout and residual in one kernel"),
    SettingKey(
      "create_attention_mask_in_dataloader", .truth, default: true,
      "the loader makes a mask of every token for every token"),
    SettingKey(
      "expert_tensor_parallel_size", .integer(1...1024), otherwise: "as tensor_parallel",
      "devices that cut each expert"),
    SettingKey(
      "moe_token_dispatcher_type", .choice(of: MegatronOptions.Dispatcher.self),
      default: "allgather", "how tokens get to their experts"),
    SettingKey(
      "cublas_workspace_config", .other("sizes in KiB and numbers", ":4096:8"),
      otherwise: "PyTorch's choice", "CUBLAS_WORKSPACE_CONFIG"),
  ]

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
    options.usesLegacyModels = try keys.bool("use_legacy_models")
    options.implementation = try keys.choice(
      "transformer_impl", default: options.usesLegacyModels ? .local : .transformerEngine)
    if options.usesLegacyModels, options.implementation != .local {
      throw PlanError(
        .unsupported, "legacy models are planned with Megatron's own layers",
        path: "megatron.transformer_impl", fix: "Use \"local\", or leave \"use_legacy_models\" out."
      )
    }
    options.attention = try keys.choice("attention_backend")
    if try keys.bool("cross_entropy_loss_fusion") {
      options.crossEntropy = try keys.choice("cross_entropy_fusion_impl")
    }
    options.fusesGradientAccumulation = try keys.bool("gradient_accumulation_fusion")
    options.fusesBiasDropout = try keys.bool("bias_dropout_fusion")
    options.makesMask = try keys.bool("create_attention_mask_in_dataloader")
    options.expertTensorDegree = try keys.optionalInteger("expert_tensor_parallel_size")
    options.dispatcher = try keys.choice("moe_token_dispatcher_type")
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

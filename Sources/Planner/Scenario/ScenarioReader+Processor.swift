/// What a scenario on processors cannot have, and what PyTorch takes there by default.
extension ScenarioReader {
  /// The optimizer as PyTorch runs it on processors: one tensor after the other, unless told otherwise.
  ///
  /// Source: `_default_to_fused_or_foreach` in `torch/optim/optimizer.py`, PyTorch 2.11.
  func readOptimizerOnProcessor(_ settings: inout Settings, _ optimizer: any Optimizer)
    throws(PlanError) -> any Optimizer
  {
    guard !(optimizer is any BlockwiseOptimizer) else {
      throw .notOnProcessors(optimizer.label, "optimizer", "Use adamw, adam, sgd or adafactor.")
    }
    let hasImplementation = settings.value("optimizer")?["implementation"] != nil
    guard !hasImplementation, optimizer.implementation == .foreach else { return optimizer }
    var members: [JSONValue.Member] = [.init("implementation", .string("for-loop"))]
    switch settings.value("optimizer") {
    case .string(let name)?: members.append(.init("name", .string(name)))
    case .object(let given)?: members += given
    default: break
    }
    var again = try Settings(.object([.init("optimizer", .object(members))]), path: "")
    var ignored = Defaults()
    return try readOptimizer(&again, &ignored)
  }

  /// Throws where the scenario has something that needs a GPU.
  func checkProcessor(_ kernels: KernelSet, _ strategies: [any Strategy]) throws(PlanError) {
    guard kernels == .torch else {
      throw .notOnProcessors("\(kernels.rawValue) kernels", "kernels", "Use \"torch\".")
    }
    for strategy in strategies {
      let type = type(of: strategy)
      if type.stage == .placement {
        throw .notOnProcessors(
          type.name, "strategies.\(type.name)", "Leave it out: everything lies on the host.")
      }
      if let lora = strategy as? LoRA, lora.baseQuantization != nil {
        throw .notOnProcessors(
          "base_quantization", "strategies.lora.base_quantization",
          "Leave it out: bitsandbytes' kernels for processors are not planned.")
      }
    }
  }
}

extension PlanError {
  fileprivate static func notOnProcessors(_ what: String, _ path: String, _ fix: String) -> Self {
    Self(.conflict, "\(what) cannot be planned on processors", path: path, fix: fix)
  }
}

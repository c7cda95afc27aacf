/// Changes to the loss, to the optimizer's states and to where things lie.
extension RemedySearch {
  private var isProcessor: Bool { scenario.device.kind == .processor }

  /// The logits whole are the largest tensors of a step with a large vocabulary.
  var lessLoss: Change? {
    guard scenario.loss == .transformers, scenario.kernelSet == .torch, !isProcessor else {
      return nil
    }
    let family = type(of: scenario.model.family).modelType
    if KernelSet.liger.layers.families?.contains(family) ?? true {
      return Change(text: "\"kernels\": \"liger\"", cost: "Triton kernels") {
        $0.kernelSet = .liger
      }
    }
    guard !scenario.workload.keepOutputs else { return nil }
    return Change(
      text: "\"loss\": { \"implementation\": \"chunked\" }", cost: "torchtune's loss"
    ) { $0.loss = .chunked(8) }
  }

  /// Saved tensors on the host.
  var offloadedActivations: Change? {
    guard !isProcessor, !scenario.strategies.contains(where: { $0 is OffloadedActivations }) else {
      return nil
    }
    return Change(text: "\"offload_activations\": {}", cost: "copies saved tensors there and back")
    {
      $0.strategies.append(OffloadedActivations())
    }
  }

  /// Optimizer states and, where nothing accumulates them, gradients on the host.
  var offloadedOptimizer: Change? {
    guard !isProcessor, !scenario.strategies.contains(where: { $0 is OffloadedOptimizer }),
      scenario.gradientClipping == nil
    else { return nil }
    let cost = "updates the weights on the host"
    guard scenario.workload.gradientAccumulationSteps == 1 else {
      return Change(text: "\"offload_optimizer\": {}", cost: cost) {
        $0.strategies.append(OffloadedOptimizer())
      }
    }
    return Change(text: "\"offload_optimizer\": { \"offload_gradients\": true }", cost: cost) {
      $0.strategies.append(OffloadedOptimizer(freesGradients: true))
    }
  }

  /// AdamW's states in 8 bits.
  var eightBitOptimizer: Change? {
    guard scenario.optimizer is AdamW, !isProcessor else { return nil }
    return Change(
      text: "\"optimizer\": { \"name\": \"adamw-8bit\" }", cost: "8-bit optimizer states",
      effect: .rounding
    ) { $0.optimizer = AdamW8bit() }
  }

  /// The frozen weights of a LoRA run in 4 bits.
  var quantizedBase: Change? {
    guard let lora = scenario.strategies.compactMap({ $0 as? LoRA }).first, !isProcessor,
      lora.baseQuantization == nil
    else { return nil }
    let quantized = LoRA(
      rank: lora.rank, targetModules: lora.targetModules, adapterPrecision: lora.adapterPrecision,
      dropout: lora.dropout, baseQuantization: BaseQuantization(.nf4),
      preparesForKbitTraining: lora.preparesForKbitTraining,
      decomposesWeight: lora.decomposesWeight)
    return Change(
      text: "\"base_quantization\": \"nf4\"", cost: "frozen weights in 4 bits", effect: .rounding
    ) {
      $0.strategies.removeAll { $0 is LoRA }
      $0.strategies.append(quantized)
    }
  }
}

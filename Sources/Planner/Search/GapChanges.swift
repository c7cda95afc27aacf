/// The differences between a scenario and a run that people meet most.
enum GapChanges {
  /// One difference.
  struct Change {
    /// How the scenario spells it.
    let text: String
    /// What it is about; no two of the same are tried together.
    let key: String
    /// Makes it.
    let apply: @Sendable (inout Scenario) -> Void
  }

  /// Those that a scenario does not have already.
  static func all(of scenario: Scenario) -> [Change] {
    workload(scenario) + kernels(scenario) + precision(scenario) + optimizer(scenario)
      + strategies(scenario)
  }

  private static func workload(_ scenario: Scenario) -> [Change] {
    let workload = scenario.workload
    var changes: [Change] = []
    func add(_ text: String, _ key: String, _ apply: @escaping @Sendable (inout Workload) -> Void) {
      changes.append(Change(text: text, key: key) { apply(&$0.workload) })
    }
    add("\"keep_outputs\": \(!workload.keepOutputs)", "outputs") { $0.keepOutputs.toggle() }
    for (up, down) in [(2, 1), (1, 2)] {
      let sizes = [workload.microBatchSize, workload.sequenceLength].map { size -> Int? in
        let (product, overflow) = size.multipliedReportingOverflow(by: up)
        return overflow || product / down < 1 || product % down != 0 ? nil : product / down
      }
      if let size = sizes[0], size <= 1_000_000 {
        add("\"micro_batch_size\": \(size)", "batch") { $0.microBatchSize = size }
      }
      if let size = sizes[1], size <= 100_000_000 {
        add("\"sequence_length\": \(size)", "sequence") { $0.sequenceLength = size }
      }
    }
    let steps = workload.gradientAccumulationSteps > 1 ? 1 : 2
    add("\"gradient_accumulation_steps\": \(steps)", "accumulation") {
      $0.gradientAccumulationSteps = steps
    }
    return changes
  }

  private static func kernels(_ scenario: Scenario) -> [Change] {
    var changes: [Change] = []
    if scenario.loss != .transformers448, scenario.kernelSet == .torch {
      changes.append(
        Change(text: "\"loss\": { \"implementation\": \"transformers-4.48\" }", key: "loss") {
          $0.loss = .transformers448
        })
    }
    if scenario.loss != .transformers {
      changes.append(
        Change(text: "\"loss\": { \"implementation\": \"transformers\" }", key: "loss") {
          $0.loss = .transformers
        })
    }
    let attention: AttentionImplementation = scenario.attention == .sdpa ? .eager : .sdpa
    changes.append(
      Change(text: "\"attention\": \"\(attention.rawValue)\"", key: "attention") {
        $0.attention = attention
      })
    let family = type(of: scenario.model.family).modelType
    if scenario.kernelSet == .liger {
      changes.append(Change(text: "\"kernels\": \"torch\"", key: "loss") { $0.kernelSet = .torch })
    } else if scenario.loss == .transformers,
      KernelSet.liger.layers.families?.contains(family) ?? true
    {
      changes.append(Change(text: "\"kernels\": \"liger\"", key: "loss") { $0.kernelSet = .liger })
    }
    let grows = !scenario.allocator.expandableSegments
    changes.append(
      Change(text: "\"allocator\": { \"expandable_segments\": \(grows) }", key: "allocator") {
        $0.allocator.expandableSegments = grows
      })
    return changes
  }

  private static func precision(_ scenario: Scenario) -> [Change] {
    [.bf16True, .bf16Mixed, .fp32True].filter { $0 != scenario.precision }.map {
      (precision: Precision) in
      Change(text: "\"precision\": \"\(precision.rawValue)\"", key: "precision") {
        $0.precision = precision
      }
    }
  }

  private static func optimizer(_ scenario: Scenario) -> [Change] {
    var changes: [Change] = []
    if scenario.optimizer is AdamW {
      for implementation in OptimizerImplementation.allCases
      where implementation != scenario.optimizer.implementation {
        changes.append(
          Change(
            text: "\"optimizer\": { \"implementation\": \"\(implementation.rawValue)\" }",
            key: "optimizer"
          ) { $0.optimizer = AdamW(implementation) })
      }
      changes.append(
        Change(text: "\"optimizer\": { \"name\": \"adamw-8bit\" }", key: "optimizer") {
          $0.optimizer = AdamW8bit()
        })
    } else {
      changes.append(
        Change(text: "\"optimizer\": { \"name\": \"adamw\" }", key: "optimizer") {
          $0.optimizer = AdamW(.foreach)
        })
    }
    let norm = scenario.gradientClipping == nil ? 1.0 : nil
    changes.append(
      Change(text: "\"gradient_clipping\": \(norm == nil ? "null" : "1.0")", key: "clipping") {
        $0.gradientClipping = norm
      })
    return changes
  }

  private static func strategies(_ scenario: Scenario) -> [Change] {
    var changes: [Change] = []
    let checkpointing = scenario.strategies.compactMap { $0 as? ActivationCheckpointing }.first
    if checkpointing != nil {
      changes.append(
        Change(text: "\"checkpointing\": { \"policy\": \"none\" }", key: "checkpointing") {
          $0.strategies.removeAll { $0 is ActivationCheckpointing }
        })
    }
    if checkpointing?.policy != .full || checkpointing?.reentrant == true {
      changes.append(
        Change(text: "\"checkpointing\": { \"policy\": \"full\" }", key: "checkpointing") {
          $0.strategies.removeAll { $0 is ActivationCheckpointing }
          $0.strategies.append(ActivationCheckpointing(.full))
        })
    }
    if let checkpointing, !checkpointing.reentrant {
      let policy = checkpointing.policy
      changes.append(
        Change(text: "\"checkpointing\": { \"reentrant\": true }", key: "checkpointing") {
          $0.strategies.removeAll { $0 is ActivationCheckpointing }
          $0.strategies.append(ActivationCheckpointing(policy, reentrant: true))
        })
    }
    guard let lora = scenario.strategies.compactMap({ $0 as? LoRA }).first else { return changes }
    func add(
      _ text: String, _ key: String, _ precision: LoRA.AdapterPrecision,
      _ quantization: BaseQuantization?, prepares: Bool
    ) {
      let other = LoRA(
        rank: lora.rank, targetModules: lora.targetModules, adapterPrecision: precision,
        dropout: lora.dropout, baseQuantization: quantization,
        preparesForKbitTraining: prepares, decomposesWeight: lora.decomposesWeight)
      changes.append(
        Change(text: text, key: key) {
          $0.strategies.removeAll { $0 is LoRA }
          $0.strategies.append(other)
        })
    }
    let precision: LoRA.AdapterPrecision = lora.adapterPrecision == .fp32 ? .base : .fp32
    add(
      "\"lora\": { \"adapter_precision\": \"\(precision.rawValue)\" }", "lora", precision,
      lora.baseQuantization, prepares: lora.preparesForKbitTraining)
    if lora.baseQuantization == nil {
      add(
        "\"lora\": { \"base_quantization\": \"nf4\" }", "lora", lora.adapterPrecision,
        BaseQuantization(.nf4), prepares: false)
    } else {
      add(
        "\"lora\": { \"base_quantization\": null }", "lora", lora.adapterPrecision, nil,
        prepares: false)
      add(
        "\"lora\": { \"prepare_for_kbit_training\": \(!lora.preparesForKbitTraining) }", "lora",
        lora.adapterPrecision, lora.baseQuantization, prepares: !lora.preparesForKbitTraining)
    }
    return changes
  }
}

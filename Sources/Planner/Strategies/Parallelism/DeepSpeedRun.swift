/// What of a scenario DeepSpeed's pipeline engine can run as it is planned.
///
/// Source: `PipelineEngine` in `deepspeed/runtime/pipe/engine.py`, `PipelineModule` in `module.py`, DeepSpeed 0.19.8.
enum DeepSpeedRun {
  /// Throws where `"framework": "deepspeed"` does not go with what else the scenario says.
  static func check(_ plan: inout TrainingPlan, of scenario: Scenario) throws(PlanError) {
    guard plan.context.framework == .deepspeed else { return }
    try checkPipeline(plan)
    for strategy in scenario.strategies where !isDeepSpeeds(strategy) {
      let name = type(of: strategy).name
      throw refuse(
        "\"\(name)\" is not planned for DeepSpeed's pipelines", "strategies.\(name)",
        "Leave it out, or use \"framework\": \"torch\".")
    }
    guard let zero = scenario.strategies.lazy.compactMap({ $0 as? Zero }).first else {
      throw refuse(
        "DeepSpeed's pipelines are planned with ZeRO stage 1", "strategies",
        "Add \"zero\": {\"stage\": 1, \"shards\": 1}, with the data-parallel degree as \"shards\".")
    }
    guard zero.partitioning == 1 else {
      throw refuse(
        "ZeRO stage \(zero.partitioning) does not go with a pipeline in DeepSpeed",
        "strategies.zero.stage", "Use stage 1.")
    }
    guard zero.optimizerOffload == nil, !zero.overlaps else {
      throw refuse(
        "offloading and overlap_comm with a pipeline cannot be planned", "strategies.zero",
        "Leave \"offload_optimizer\" and \"overlap_comm\" out.")
    }
    guard zero.accumulation == nil, !zero.lowPrecisionMaster else {
      throw refuse(
        "other formats than fp32 weights and 16-bit gradients with a pipeline cannot be planned",
        "strategies.zero",
        "Leave \"grad_accum_dtype\" and \"bf16_master_weights_and_grads\" out.")
    }
    guard !scenario.autocasts else {
      throw refuse(
        "DeepSpeed's pipelines are planned without autocast", "autocast", "Leave it out.")
    }
    guard scenario.precision == .bf16True || scenario.precision == .fp16True else {
      throw refuse(
        "DeepSpeed's pipelines are planned in 16 bits", "precision",
        "Use \"bf16-true\" (\"bf16\": {\"enabled\": true}) or \"16-true\": main weights are fp32 all the same."
      )
    }
    try checkCheckpoints(scenario)
    try checkTensors(plan, scenario)
  }

  private static func checkPipeline(_ plan: TrainingPlan) throws(PlanError) {
    guard let pipeline = plan.pipeline else {
      throw refuse(
        "\"deepspeed\" is DeepSpeed's pipeline engine, and the scenario has no pipeline",
        "framework",
        "Add \"pipeline_parallel\": {\"degree\": 2}; leave \"framework\" out for ZeRO alone.")
    }
    guard pipeline.schedule is OneForwardOneBackward else {
      throw refuse(
        "DeepSpeed's pipelines run one forward, one backward",
        "strategies.pipeline_parallel.schedule", "Use \"1f1b\", or leave it out.")
    }
  }

  /// `activation_checkpoint_interval` of more than one makes one checkpoint of several layers.
  private static func checkCheckpoints(_ scenario: Scenario) throws(PlanError) {
    for case let checkpointing as ActivationCheckpointing in scenario.strategies {
      guard checkpointing.policy == .full || checkpointing.policy == .none else {
        throw refuse(
          "DeepSpeed's pipelines are planned with checkpoints of every layer, or none",
          "strategies.checkpointing.policy",
          "Use \"full\" (\"activation_checkpoint_interval\": 1) or \"none\".")
      }
    }
  }

  /// Those whose layers are Megatron's: columns, then rows, one after the other.
  private static let families = ["llama", "mistral", "qwen2", "qwen3"]

  private static func checkTensors(_ plan: TrainingPlan, _ scenario: Scenario) throws(PlanError) {
    let path = "strategies.tensor_parallel"
    guard plan.mesh.tensor > 1 else { return }
    guard families.contains(type(of: scenario.model.family).modelType) else {
      throw refuse(
        "tensor parallelism of \(type(of: scenario.model.family).modelType) models cannot be planned yet",
        path + ".degree", "Use a llama, mistral, qwen2 or qwen3 model, or leave it out.")
    }
    guard plan.mesh.cutsLogits == nil else {
      throw refuse(
        "\"loss_parallel\" says nothing about DeepSpeed: logits stay cut along the vocabulary",
        path + ".loss_parallel", "Leave it out.")
    }
    guard plan.context.loss == .transformers, plan.context.kernelSet == .torch else {
      throw refuse(
        "tensor parallelism has a cross-entropy of its own", "loss",
        "Leave \"loss\" and \"kernels\" out.")
    }
  }

  private static func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
    PlanError(.unsupported, what, path: path, fix: fix)
  }

  /// Whether no run is planned without it.
  static func needs(_ strategy: any Strategy) -> Bool {
    strategy is Zero || strategy is PipelineParallel
  }

  private static func isDeepSpeeds(_ strategy: any Strategy) -> Bool {
    switch strategy {
    case is Zero, is TensorParallel, is ActivationCheckpointing, is PipelineParallel: true
    default: false
    }
  }
}

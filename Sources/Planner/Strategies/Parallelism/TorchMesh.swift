/// What model parallelism PyTorch and `transformers` run, and what of it is planned.
///
/// Without `sequence_parallel` a model is cut as `transformers`' `tp_plan` cuts it: norms and embedding whole, logits
/// gathered. With it, as torchtitan cuts `transformers`' models: embedding and logits cut along the vocabulary, what
/// lies between along the sequence.
///
/// Source: `base_model_tp_plan` and `distributed/tensor_parallel.py` of transformers 5.17;
/// `experiments/transformers_modeling_backend/infra/parallelize.py` of torchtitan.
enum TorchMesh {
  /// Families that `transformers` 5.17 has no `tp_plan` for.
  private static let withoutPlan = [
    "bert", "bloom", "falcon", "gpt2", "opt", "roberta", "t5", "vit",
  ]

  /// Throws where the mesh of a plan cannot be planned under `"framework": "torch"`; others check their own.
  static func check(_ plan: inout TrainingPlan, of scenario: Scenario) throws(PlanError) {
    guard plan.context.framework == .torch else { return }
    let mesh = plan.mesh
    if mesh.context > 1 { try checkContext(&plan, scenario) }
    if mesh.expert > 1 {
      try checkExperts(&plan, scenario)
      return try stepOneByOne(&plan)
    }
    guard mesh.tensor > 1 else { return }
    try checkFamily(scenario)
    try checkAdapters(plan, scenario)
    try checkTechniques(plan, scenario, what: "tensor parallelism", path: degree)
    try checkSequence(plan, scenario)
    try stepOneByOne(&plan)
    plan.assumptions.append(
      Assumption(
        "tensor_parallel",
        mesh.cutsSequence
          ? "DTensor as torchtitan cuts transformers' models: embedding and head along the vocabulary, whose table "
            + "has a whole gradient; residual stream and norms along the sequence"
          : "DTensor as transformers' tp_plan cuts the model: embedding and norms whole on every device, logits "
            + "gathered",
        source: "PyTorch 2.11, transformers 5.17"))
  }

  private static func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
    PlanError(.conflict, what, path: path, fix: fix)
  }

  private static let degree = "strategies.tensor_parallel"

  private static func checkFamily(_ scenario: Scenario) throws(PlanError) {
    let family = scenario.model.family
    guard !family.cutsMatrices else { return }
    let name = type(of: family).modelType
    throw PlanError(
      .unsupported,
      withoutPlan.contains(name)
        ? "transformers 5.17 has no tp_plan for \(name) models"
        : "tensor parallelism of \(name) models cannot be planned yet", path: degree,
      fix:
        "Use a llama, mistral, qwen, gemma, olmo, phi3, gpt_neox, starcoder2 or mixtral model, or leave it out."
    )
  }

  private static func checkAdapters(_ plan: TrainingPlan, _ scenario: Scenario)
    throws(PlanError)
  {
    if scenario.model.family.tiesHead, plan.distribution != nil {
      throw refuse(
        "tensor parallelism under fsdp with a head that is the embedding cannot be planned", degree,
        "Leave \"fsdp\" out, or set \"tie_word_embeddings\" of the model to false.")
    }
    guard let lora = scenario.strategies.lazy.compactMap({ $0 as? LoRA }).first else { return }
    if plan.mesh.cutsSequence {
      throw refuse(
        "PEFT cuts adapters as transformers' tp_plan cuts the model, without sequence parallelism",
        "strategies.lora", "Leave \"lora\" or \"sequence_parallel\" out.")
    }
    if lora.decomposesWeight || plan.context.quantization != nil {
      throw refuse(
        "DoRA and quantized weights of tensor-parallel layers cannot be planned",
        "strategies.lora",
        "Leave \"use_dora\" and \"base_quantization\" out, or \"tensor_parallel\".")
    }
  }

  /// What nobody ran on `DTensor`s, or what cannot run on them.
  static func checkTechniques(
    _ plan: TrainingPlan, _ scenario: Scenario, what: String, path: String
  ) throws(PlanError) {
    if plan.context.kernelSet != .torch {
      throw refuse(
        "Liger's kernels do not work on DTensors", "kernels", "Use \"torch\" kernels.")
    }
    if plan.context.loss != .transformers {
      throw refuse(
        "only transformers' loss is planned with \(what)", "loss",
        "Leave \"loss\" out.")
    }
    if plan.context.float8 {
      throw refuse(
        "\(what) in 8-bit floating point cannot be planned", "precision",
        "Use \"bf16-mixed\".")
    }
    if plan.placement.activations != nil || plan.updatesOnHost {
      throw refuse(
        "offloading with \(what) cannot be planned", path,
        "Leave one of the two out.")
    }
    for strategy in scenario.strategies {
      let name = type(of: strategy).name
      let isFirst = (strategy as? FullyShard)?.older != nil
      if isFirst || [DistributedDataParallel.name, Zero.name, YaFSDP.name].contains(name) {
        // accelerate 1.15, `ParallelismConfig.__post_init__`: "cannot be used with pure data parallelism".
        let why =
          strategy is Zero
          ? ": DeepSpeed cuts models in a way of its own (AutoTP)"
          : strategy is DistributedDataParallel && plan.mesh.tensor > 1
            ? ": accelerate cuts models beside sharded weights alone" : ""
        throw refuse(
          "\(strategy.label) with \(what) cannot be planned" + why, "strategies.\(name)",
          "Use \"fsdp\" (PyTorch's fully_shard), or leave one of the two out.")
      }
    }
    guard plan.optimizer is AdamW || plan.optimizer is Adam || plan.optimizer is SGD else {
      throw refuse(
        "\(plan.optimizer.label) does not update DTensors", "optimizer.name",
        "Use adamw, adam or sgd.")
    }
  }

  /// torchtitan's models have fused attention, and cut sequences evenly; gathered logits are transformers'.
  private static func checkSequence(_ plan: TrainingPlan, _ scenario: Scenario)
    throws(PlanError)
  {
    let mesh = plan.mesh
    guard mesh.cutsSequence else {
      if mesh.cutsLogits == true {
        throw refuse(
          "transformers' tp_plan gathers the logits: loss_parallel goes with sequence_parallel",
          degree + ".loss_parallel", "Add \"sequence_parallel\": {}, or leave it out.")
      }
      return
    }
    if plan.context.attention == .eager {
      throw refuse(
        "eager attention would make its mask for a part of the sequence", "attention",
        "Use \"sdpa\".")
    }
    guard plan.context.sequence % mesh.tensor == 0 else {
      throw PlanError(
        .invalid,
        "a sequence of \(plan.context.sequence) tokens cannot be cut into \(mesh.tensor) equal parts",
        path: "workload.sequence_length", fix: "Use a multiple of \(mesh.tensor).")
    }
  }

  /// Whole weights beside cut ones are plain tensors beside `DTensor`s: no foreach kernel takes both.
  ///
  /// Source: `has_mixed_dtensor` in `trainer_optimizer.py`, transformers 5.17, with which the Trainer sets
  /// `foreach=False, fused=False`. Under `fully_shard` all are `DTensor`s.
  private static func stepOneByOne(_ plan: inout TrainingPlan) throws(PlanError) {
    guard !plan.mesh.cutsSequence, plan.distribution == nil,
      plan.optimizer.implementation != .forLoop
    else { return }
    if plan.optimizer is AdamW { plan.optimizer = AdamW(.forLoop) }
    if let adam = plan.optimizer as? Adam { plan.optimizer = adam.oneByOne }
    if let sgd = plan.optimizer as? SGD { plan.optimizer = sgd.oneByOne }
    plan.assumptions.append(
      Assumption(
        "optimizer_steps_one_by_one",
        "the optimizer steps parameter by parameter: some are DTensors and some are not",
        source: "transformers/trainer_optimizer.py, transformers 5.17"))
  }
}

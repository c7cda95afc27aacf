/// What DeepSpeed does not run, or the planner does not follow.
extension Zero {
  /// Refuses settings that exclude each other.
  func check(_ plan: TrainingPlan) throws(PlanError) {
    try checkOptimizer(plan.optimizer)
    try checkFormats(plan)
    if plan.context.float8 {
      throw Self.refused(
        "ZeRO with products in 8 bits cannot be planned", "precision", "Use \"bf16-mixed\".")
    }
    if plan.context.bufferFormat != nil, plan.context.bufferFormat != plan.context.dtype {
      throw Self.refused(
        "DeepSpeed casts back what prepare_model_for_kbit_training widened",
        "strategies.lora.prepare_for_kbit_training", "Leave it out.")
    }
    if plan.context.kernels.isProcessor {
      throw Self.refused(
        "ZeRO on a processor cannot be planned", "hardware.device", "Use a GPU, or fsdp.")
    }
    if partitioning == 3, plan.context.quantization is EightBitWeight {
      throw Self.refused(
        "bitsandbytes keeps its 8-bit integers whole beside what stage 3 cuts of them, which cannot be planned",
        "strategies.lora.base_quantization", "Use \"nf4\", or stage 1 or 2.")
    }
    if !contiguous, partitioning < 3 || optimizerOffload != nil {
      throw Self.refused(
        "gradients that are not contiguous cannot be planned",
        "strategies.zero.contiguous_gradients", "Leave it out: true is DeepSpeed's default.")
    }
    if partitioning < 3, parameterOffload != nil {
      throw Self.refused(
        "DeepSpeed offloads parameters in stage 3 only", "strategies.zero.offload_param",
        "Use stage 3, or leave \"offload_param\" out.")
    }
    if parameterOffload != nil, optimizerOffload == nil {
      throw Self.refused(
        "parameters on the host want the optimizer there", "strategies.zero.offload_param",
        "Add \"offload_optimizer\": {\"device\": \"cpu\"}.")
    }
    if partitioning < 3, optimizerOffload?.device == .nvme {
      throw Self.refused(
        "DeepSpeed keeps optimizer states on NVMe in stage 3 only",
        "strategies.zero.offload_optimizer.device", "Use stage 3, or \"cpu\".")
    }
    let pieces = plan.retention(2)
    if plan.context.framework != .deepspeed,
      pieces.contains(where: { $0.pattern.contains(.recompute(reentrant: true)) })
    {
      throw Self.refused(
        "reentrant checkpoints under ZeRO cannot be planned", "strategies.checkpointing.reentrant",
        "Leave \"reentrant\" out.")
    }
    if plan.placement.activations != nil {
      throw Self.refused(
        "offloaded activations under ZeRO cannot be planned", "strategies.offload_activations",
        "Leave it out.")
    }
  }

  /// Refuses optimizers that want whole weights, or that DeepSpeed refuses.
  private func checkOptimizer(_ optimizer: any Optimizer) throws(PlanError) {
    guard ZeroOptimizer.takesShares(optimizer) else {
      throw Self.refused(
        "\(optimizer.label) cannot update a rank's flat share of all weights", "optimizer.name",
        "Use adamw, adam, lion, sgd, adafactor, adamw-8bit or lion-8bit.")
    }
    guard !ZeroOptimizer.isTested(optimizer) else { return }
    if !allowsUntested {
      throw Self.refused(
        "DeepSpeed calls \(optimizer.label) under ZeRO untested and does not run it",
        "strategies.zero.zero_allow_untested_optimizer",
        "Write \"zero_allow_untested_optimizer\": true, as transformers' Trainer does.")
    }
    if optimizerOffload != nil {
      throw Self.refused(
        "DeepSpeed steps on the host with its own Adam and Lion, not with \(optimizer.label)",
        "strategies.zero.offload_optimizer", "Use adamw, adam or lion, or leave it out.")
    }
  }

  /// Refuses formats that DeepSpeed does not combine.
  private func checkFormats(_ plan: TrainingPlan) throws(PlanError) {
    let context = plan.context
    let model = context.dtype
    if lowPrecisionMaster, model != .bf16 {
      throw Self.refused(
        "master weights in bf16 want a model in bf16",
        "strategies.zero.bf16_master_weights_and_grads", "Use precision \"bf16-true\".")
    }
    if lowPrecisionStates, !lowPrecisionMaster {
      throw Self.refused(
        "DeepSpeed wants bf16 master weights for bf16 optimizer states",
        "strategies.zero.bf16_optimizer_states", "Add \"bf16_master_weights_and_grads\": true.")
    }
    if lowPrecisionMaster, !lowPrecisionStates, optimizerOffload == nil {
      throw Self.refused(
        "DeepSpeed wants fp32 states beside bf16 master weights on the host",
        "strategies.zero.bf16_master_weights_and_grads",
        "Add \"bf16_optimizer_states\": true, or \"offload_optimizer\".")
    }
    let formats = ZeroFormats(self, plan)
    guard formats.accumulatesWider else { return }
    guard accumulation == .fp32, !lowPrecisionMaster else {
      throw Self.refused(
        "gradients of a model in \(model.rawValue) that add up in \(formats.accumulation.rawValue) "
          + "for weights in \(formats.master.rawValue) cannot be planned",
        "strategies.zero.grad_accum_dtype", "Use \"fp32\", or leave it out.")
    }
    if context.framework == .deepspeed, !addsUpApart(model) {
      throw Self.refused(
        "a pipeline that adds gradients of a model in \(model.rawValue) up in fp32 cannot be planned",
        "strategies.zero.grad_accum_dtype", "Use precision \"bf16-true\", or leave it out.")
    }
  }

  /// Refuses models whose weights DeepSpeed would cast, and ones too deep to be walked layer by layer.
  func check(_ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError) {
    guard graph.layers <= 1024 else {
      throw PlanError(
        .unsupported, "ZeRO is planned layer by layer, for at most 1,024 layers",
        path: "model.num_hidden_layers", fix: "Use fewer layers, or fsdp.")
    }
    if partitioning == 3, plan.context.quantization != nil {
      let isMixed = graph.program.spans.contains { $0.kind == .mixture || $0.kind == .experts }
      if isMixed
        || graph.program.leaves.contains(where: {
          $0.name.description.hasPrefix("lora_magnitude_vector")
        })
      {
        throw Self.refused(
          "stage 3 cannot cut quantized weights of DoRA and of mixtures of experts in the planner",
          "strategies.lora.base_quantization", "Use stage 1 or 2, or leave it out.")
      }
    }
    for leaf in graph.program.leaves
    where leaf.trainable && leaf.spec.dtype != plan.context.dtype {
      throw Self.refused(
        "DeepSpeed casts all trained weights to the model's format",
        "strategies.lora.adapter_precision", "Write \"adapter_precision\": \"base\".")
    }
  }

  private static func refused(_ what: String, _ path: String, _ fix: String) -> PlanError {
    PlanError(.conflict, what, path: path, fix: fix)
  }
}

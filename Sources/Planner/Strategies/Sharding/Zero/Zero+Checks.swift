/// What DeepSpeed does not run, or the planner does not follow.
extension Zero {
  /// Refuses settings that exclude each other.
  func check(_ plan: TrainingPlan) throws(PlanError) {
    let optimizer = plan.optimizer
    guard optimizer is AdamW || optimizer is Adam else {
      throw Self.refused(
        "\(optimizer.label) under ZeRO cannot be planned: DeepSpeed calls all but its own optimizers untested",
        "optimizer.name", "Use adamw or adam.")
    }
    if plan.context.autocast != nil || plan.context.float8 {
      throw Self.refused(
        "ZeRO casts the model itself; autocast on top cannot be planned", "precision",
        "Use \"bf16-true\" or \"16-true\", which keep fp32 master weights under ZeRO, or \"32-true\"."
      )
    }
    if plan.context.kernels.isProcessor {
      throw Self.refused(
        "ZeRO on a processor cannot be planned", "hardware.device", "Use a GPU, or fsdp.")
    }
    if partitioning == 3, plan.context.quantization != nil {
      throw Self.refused(
        "stage 3 cannot cut bitsandbytes' quantized weights in the planner",
        "strategies.lora.base_quantization", "Use stage 1 or 2, or leave it out.")
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

  /// Refuses models whose weights DeepSpeed would cast, and ones too deep to be walked layer by layer.
  func check(_ graph: LayerGraph, _ plan: TrainingPlan) throws(PlanError) {
    guard graph.layers <= 1024 else {
      throw PlanError(
        .unsupported, "ZeRO is planned layer by layer, for at most 1,024 layers",
        path: "model.num_hidden_layers", fix: "Use fewer layers, or fsdp.")
    }
    if partitioning == 3, graph.program.leaves.contains(where: { $0.active != nil }) {
      throw Self.refused(
        "stage 3 of a mixture of experts cannot be planned: DeepSpeed gathers its blocks whole",
        "strategies.zero.stage", "Use stage 1 or 2, or fsdp.")
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

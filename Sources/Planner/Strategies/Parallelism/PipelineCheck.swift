/// Refuses what does not go with a pipeline, or what nobody measured with one.
struct PipelineCheck {
  let scenario: Scenario

  /// Throws where a scenario with a pipeline asks for such a thing.
  func check(_ plan: TrainingPlan) throws(PlanError) {
    guard let pipeline = plan.pipeline else { return }
    let path = "strategies.pipeline_parallel"
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.unsupported, what, path: path, fix: fix)
    }
    if scenario.model.family.isEncoderDecoder {
      throw refuse(
        "an encoder-decoder cannot be cut into a pipeline", path,
        "Leave \"pipeline_parallel\" out, or use a decoder.")
    }
    if scenario.workload.keepOutputs {
      throw refuse(
        "a pipeline that returns the logits of all micro-batches cannot be planned",
        "workload.keep_outputs", "Leave \"keep_outputs\" out (return_outputs=False).")
    }
    if plan.optimizer.stepsInBackward {
      throw refuse(
        "an optimizer that steps in backward does not go with a pipeline", "optimizer",
        "Leave \"in_backward\" out.")
    }
    if plan.placement.activations != nil {
      throw refuse(
        "saved tensors on the host cannot be planned with a pipeline",
        "strategies.offload_activations", "Leave \"offload_activations\" out.")
    }
    for strategy in scenario.strategies {
      let name = type(of: strategy).name
      let isOlder = (strategy as? FullyShard)?.older != nil
      let isDeepSpeeds = plan.context.framework == .deepspeed
      if strategy is Zero && !isDeepSpeeds || strategy is YaFSDP || isOlder {
        throw refuse(
          "\(name)\(isOlder ? " version 1" : "") cannot be planned with a pipeline",
          "strategies.\(name)",
          "Use fsdp (fully_shard) or ddp, or \"framework\": \"deepspeed\", or leave one of the two out."
        )
      }
      if let shards = strategy as? FullyShard {
        let isDefault = shards.layerReshard == .always && shards.rootReshard == .never
        guard isDefault || shards.layerReshard == .never, !shards.offloads else {
          throw refuse(
            "fully_shard that reshards after forward, or lies on the host, cannot be planned with a pipeline",
            "strategies.fsdp", "Leave \"reshard_after_forward\" and \"cpu_offload\" out.")
        }
        if type(of: pipeline.schedule).splitsBackward {
          throw refuse(
            "fully_shard under a split backward cannot be planned", "strategies.fsdp",
            "Use \"1f1b\", \"gpipe\" or \"interleaved-1f1b\", or ddp.")
        }
      }
      if let checkpointing = strategy as? ActivationCheckpointing, checkpointing.reentrant,
        !isDeepSpeeds
      {
        throw refuse(
          "reentrant checkpoints cannot be planned with a pipeline",
          "strategies.checkpointing.reentrant", "Leave \"reentrant\" out.")
      }
      if strategy is ActivationCheckpointing, type(of: pipeline.schedule).splitsBackward {
        throw refuse(
          "checkpoints under a split backward, which recomputes twice, cannot be planned",
          "strategies.checkpointing",
          "Use a schedule with whole backward passes: \"1f1b\", \"gpipe\", \"interleaved-1f1b\".")
      }
    }
  }
}

/// What of a scenario Megatron can run, and what it always has: buffers, and an Adam of its own.
enum MegatronRun {
  /// Throws where a technique is not Megatron's; adds its data parallelism where the scenario names none.
  static func complete(_ plan: inout TrainingPlan, of scenario: Scenario) throws(PlanError) {
    guard plan.context.framework == .megatron else {
      guard !(scenario.strategies.contains { $0 is MegatronDataParallel }) else {
        throw PlanError(
          .conflict, "\"data_parallel\" is Megatron's way, and the framework is another one",
          path: "strategies.data_parallel",
          fix: "Write \"framework\": \"megatron\", or use \"ddp\" or \"fsdp\".")
      }
      return
    }
    for strategy in scenario.strategies where !isMegatrons(strategy) {
      let name = type(of: strategy).name
      throw PlanError(
        .unsupported, "\"\(name)\" is not planned for Megatron", path: "strategies.\(name)",
        fix: "Leave it out, or use \"framework\": \"torch\".")
    }
    guard scenario.precision == .bf16True || scenario.precision == .fp16True else {
      throw PlanError(
        .unsupported, "Megatron is planned in 16 bits", path: "precision",
        fix: "Use \"bf16-true\" (--bf16): main weights and states are fp32 all the same.")
    }
    guard plan.optimizer is AdamW || plan.optimizer is Adam || plan.optimizer is MegatronAdam else {
      throw PlanError(
        .unsupported, "Megatron is planned with Adam", path: "optimizer.name",
        fix: "Use \"adam\" or \"adamw\".")
    }
    if scenario.workload.expertLoad != nil {
      throw PlanError(
        .unsupported, "uneven loads of experts are not planned for Megatron",
        path: "workload.experts",
        fix: "Leave \"experts\" out: tokens are taken to spread evenly.")
    }
    if plan.distribution == nil { try MegatronDataParallel(degree: 1).decide(&plan) }
    try checkExperts(plan, of: scenario)
  }

  /// Experts lie on devices that data, context and tensor parallelism have already.
  private static func checkExperts(_ plan: TrainingPlan, of scenario: Scenario) throws(PlanError) {
    let mesh = plan.mesh
    guard mesh.expert > 1 else { return }
    guard scenario.model.family.routedExperts != nil else {
      throw PlanError(
        .conflict, "\(scenario.model.name) has no experts to share",
        path: "strategies.expert_parallel", fix: "Leave it out.")
    }
    let cut = plan.context.megatron.expertTensorDegree ?? mesh.tensor
    let devices = try checkedProduct(plan.dataParallel, mesh.context, mesh.tensor)
    guard devices % (try checkedProduct(mesh.expert, cut)) == 0 else {
      throw PlanError(
        .invalid,
        "experts of \(mesh.expert) × \(cut) devices do not fit the \(devices) of a pipeline stage",
        path: "strategies.expert_parallel.degree",
        fix:
          "Choose a degree that divides data × context × tensor parallelism, by expert_tensor_parallel_size."
      )
    }
  }

  private static func isMegatrons(_ strategy: any Strategy) -> Bool {
    switch strategy {
    case is MegatronDataParallel, is TensorParallel, is SequenceParallel, is ContextParallel,
      is ExpertParallel, is ActivationCheckpointing, is PipelineParallel:
      true
    default: false
    }
  }
}

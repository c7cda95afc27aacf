/// The way in: a scenario goes in, a report comes out.
///
/// A plan is made in five steps: the strategies decide, in the order of their stages; the model's family writes the
/// layer graph; the tape runs one training step over it; a fold finds the peaks; the caching allocator, replayed over
/// the step, gives the verdict.
public enum Planner {
  /// Plans one scenario.
  public static func plan(_ scenario: Scenario) throws(PlanError) -> Report {
    var report = try plan(scenario, .report)
    if scenario.strategies.contains(where: { $0 is any SpreadingStrategy }) {
      report.devices.minimum = try DeviceCountSolver(scenario).least(known: report)?.devices
    }
    report.run = try scenario.run.map { (run) throws(PlanError) in try Run(scenario, run, report) }
    return report
  }

  /// Plans one scenario, to whatever effort; with another number of layers in each stack if given.
  package static func plan(
    _ scenario: Scenario, _ effort: ReservedMemory.Effort, layers: Int? = nil
  ) throws(PlanError) -> Report {
    let scenario = try CheckpointSearch.resolved(scenario)
    let plan = try decide(scenario)
    var graph = try scenario.model.family.graph(plan.context)
    if let layers {
      for stack in graph.stacks.indices { graph.stacks[stack].layers = layers }
    }
    if let pipeline = plan.pipeline {
      let steps = try PipelineSteps(graph, plan, pipeline)
      return try PipelineReport(scenario: scenario, plan: plan, steps: steps, effort: effort)
        .report()
    }
    let step = try TrainingStep(graph, plan)
    return try ReportBuilder(scenario, plan, graph, step, effort).report()
  }

  /// The ladder: the baseline (fp32, no technique), each strategy of the scenario alone, and all stacked.
  public static func compare(_ scenario: Scenario) throws(PlanError) -> Ladder {
    try Ladder(scenario)
  }

  /// Changes that would make a scenario fit, each planned for real, the cheapest recomputation first.
  public static func remedies(for scenario: Scenario) throws(PlanError) -> [Remedy] {
    try RemedySearch(scenario, catalog: DeviceCatalog.all).remedies()
  }

  /// Every device of the catalog for a scenario, with the least number of it that the run takes.
  public static func devices(
    for scenario: Scenario, numbers: DeviceTable.Numbers = .any, order: DeviceTable.Order = .count
  ) throws(PlanError) -> DeviceTable {
    try DeviceTable(
      scenario, catalog: DeviceCatalog.all + ProcessorDevices.all, numbers: numbers, order: order)
  }

  /// Every checkpointing policy of whole layers, with the one to use.
  ///
  /// - Parameter budget: What a process may take of the device, its context included; what it has if `nil`.
  public static func checkpoints(for scenario: Scenario, budget: Bytes? = nil) throws(PlanError)
    -> CheckpointTable
  {
    var scenario = scenario
    if let budget { scenario.device.memory = budget }
    return try CheckpointSearch(scenario).table()
  }

  /// What the strategies of a scenario decide.
  static func decide(_ scenario: Scenario) throws(PlanError) -> TrainingPlan {
    var plan = TrainingPlan()
    plan.context.batch = scenario.workload.microBatchSize
    plan.context.sequence = scenario.workload.sequenceLength
    plan.context.targetSequence = scenario.workload.targetSequenceLength
    plan.context.keepOutputs = scenario.workload.keepOutputs
    plan.context.attention = scenario.attention
    plan.context.loss = scenario.loss
    plan.context.kernelSet = scenario.kernelSet
    plan.context.framework = scenario.framework
    if scenario.autocasts {
      plan.context.autocast = scenario.precision == .fp16True ? .fp16 : .bf16
    }
    plan.context.megatron = scenario.megatron
    plan.context.kernels = scenario.device.kernelTraits
    plan.microBatches = scenario.workload.gradientAccumulationSteps
    plan.optimizer = scenario.optimizer
    plan.clipping = scenario.gradientClipping
    plan.assumptions = scenario.kernelAssumptions
    if let load = scenario.workload.expertLoad, let experts = scenario.model.family.routedExperts {
      let tokens = try checkedProduct(
        scenario.workload.microBatchSize, scenario.workload.sequenceLength)
      plan.assumptions.append(.load(load, of: tokens, experts))
    }
    try StrategyStack([scenario.precision] + scenario.strategies).decide(&plan)
    plan.assumptions += plan.optimizer.assumptions
    try checkDevices(plan, of: scenario)
    try TorchMesh.check(&plan, of: scenario)
    try MegatronRun.complete(&plan, of: scenario)
    try DeepSpeedRun.check(&plan, of: scenario)
    try checkTargets(plan, of: scenario)
    try checkStepInBackward(plan)
    try MinCutPolicy.check(plan)
    try checkReentrant(scenario)
    try checkFloat8(plan, of: scenario)
    try checkFlash(scenario)
    try PipelineCheck(scenario: scenario).check(plan)
    if plan.mesh.pipeline > 1 { plan.communicators += 1 }
    return plan
  }

  /// How many layers a scenario's model has.
  static func layers(of scenario: Scenario) throws(PlanError) -> Int {
    try scenario.model.family.graph(try decide(scenario).context).layers
  }

  /// Stepping in backward frees each gradient at once: nothing is left to clip or to add to.
  private static func checkStepInBackward(_ plan: TrainingPlan) throws(PlanError) {
    guard plan.optimizer.stepsInBackward else { return }
    if plan.clipping != nil {
      throw PlanError(
        .conflict, "an optimizer that steps in backward leaves no gradients to clip",
        path: "gradient_clipping", fix: "Leave \"gradient_clipping\" out, or \"in_backward\".")
    }
    if plan.microBatches > 1 {
      throw PlanError(
        .conflict, "an optimizer that steps in backward cannot accumulate gradients",
        path: "workload.gradient_accumulation_steps",
        fix: "Use one accumulation step, or leave \"in_backward\" out.")
    }
  }

  private static func checkDevices(_ plan: TrainingPlan, of scenario: Scenario) throws(PlanError) {
    let needed = try plan.mesh.devices(times: plan.dataParallel)
    guard let devices = scenario.devices, devices != needed else { return }
    let used = needed == 1 ? "use one" : "use \(needed)"
    throw PlanError(
      .conflict, "\(devices) \(devices == 1 ? "device" : "devices"), while the strategies \(used)",
      path: "hardware.devices",
      fix: "Write \"devices\": \(needed), or spread the run over \(devices) with fsdp or ddp."
    )
  }

  /// A reentrant checkpoint of a layer has one way back in the planner; decoders of two stacks need three.
  private static func checkReentrant(_ scenario: Scenario) throws(PlanError) {
    guard scenario.model.family.isEncoderDecoder else { return }
    for case let checkpointing as ActivationCheckpointing in scenario.strategies
    where checkpointing.reentrant {
      throw PlanError(
        .unsupported, "reentrant checkpoints of an encoder-decoder cannot be planned",
        path: "strategies.checkpointing.reentrant",
        fix: "Leave \"reentrant\" out: non-reentrant is the default of transformers.")
    }
  }

  /// 8-bit products need their hardware, and weights that are trained: adapters take the layers for themselves.
  private static func checkFloat8(_ plan: TrainingPlan, of scenario: Scenario) throws(PlanError) {
    guard plan.context.float8 else { return }
    let capability = scenario.device.computeCapability
    if capability < 89 {
      throw PlanError(
        .unsupported,
        "\(scenario.device.name) has no 8-bit floating point: compute capability "
          + "\(capability / 10).\(capability % 10), and it takes 8.9", path: "precision",
        fix: "Use \"bf16-mixed\", or a device such as \"rtx-4090\" or \"h100-sxm\".")
    }
    if !plan.context.trainsBase {
      throw PlanError(
        .conflict, "fp8-mixed does not go with adapters", path: "precision",
        fix: "Use \"bf16-mixed\", or leave \"lora\" out.")
    }
  }

  private static func checkFlash(_ scenario: Scenario) throws(PlanError) {
    guard scenario.attention == .flash, !scenario.model.family.runsFlashAttention else { return }
    throw PlanError(
      .unsupported, "\(scenario.model.name) cannot be planned with the flash-attn package",
      path: "attention", fix: "Use \"attention\": \"sdpa\".")
  }

  private static func checkTargets(_ plan: TrainingPlan, of scenario: Scenario) throws(PlanError) {
    let modules = scenario.model.family.linearModules
    for target in plan.adaptedModules where target != "all-linear" && !modules.contains(target) {
      throw PlanError(
        .unknown, "\(scenario.model.name) has no projection \"\(target.prefix(80))\"",
        path: "strategies.lora.target_modules",
        fix: NearestName.hint(target, in: modules + ["all-linear"]))
    }
  }
}

extension Device {
  /// What the choice of kernels depends on.
  var kernelTraits: KernelTraits {
    var traits = KernelTraits()
    traits.computeCapability = computeCapability
    traits.multiprocessors = multiprocessors
    traits.threadsPerMultiprocessor = threadsPerMultiprocessor
    traits.bandwidth = bandwidth
    traits.rate32 = rates.fp32
    traits.rate16 = max(rates.bf16, rates.fp16)
    traits.isProcessor = kind == .processor
    traits.efficiency = efficiency.kernels
    return traits
  }
}

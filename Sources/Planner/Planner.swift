/// The way in: a scenario goes in, a report comes out.
///
/// A plan is made in five steps: the strategies decide, in the order of their stages; the model's family writes the
/// layer graph; the tape runs one training step over it; a fold finds the peaks; the caching allocator, replayed over
/// the step, gives the verdict.
public enum Planner {
  /// Plans one scenario.
  public static func plan(_ scenario: Scenario) throws(PlanError) -> Report {
    try plan(scenario, .report)
  }

  /// Plans one scenario, to whatever effort.
  static func plan(_ scenario: Scenario, _ effort: ReservedMemory.Effort) throws(PlanError)
    -> Report
  {
    let plan = try decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
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

  /// What the strategies of a scenario decide.
  static func decide(_ scenario: Scenario) throws(PlanError) -> TrainingPlan {
    var plan = TrainingPlan()
    plan.context.batch = scenario.workload.microBatchSize
    plan.context.sequence = scenario.workload.sequenceLength
    plan.context.keepOutputs = scenario.workload.keepOutputs
    plan.context.attention = scenario.attention
    plan.context.loss = scenario.loss
    plan.context.kernelSet = scenario.kernelSet
    plan.context.kernels = scenario.device.kernelTraits
    plan.microBatches = scenario.workload.gradientAccumulationSteps
    plan.optimizer = scenario.optimizer
    plan.clipping = scenario.gradientClipping
    plan.assumptions = scenario.kernelAssumptions
    try StrategyStack([scenario.precision] + scenario.strategies).decide(&plan)
    plan.assumptions += scenario.optimizer.assumptions
    try checkTargets(plan, of: scenario)
    try checkStepInBackward(plan)
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
    return traits
  }
}

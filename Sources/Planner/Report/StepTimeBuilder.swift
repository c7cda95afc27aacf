/// Puts a step's time together: kernels, what the host's launches, collectives and transfers add, and the optimizer.
///
/// It knows one device's work. What keeps a device waiting for others, such as a pipeline's bubble, is a part of its
/// own.
struct StepTimeBuilder {
  let scenario: Scenario
  let plan: TrainingPlan
  let step: TrainingStep
  /// What collectives add, in seconds.
  let exposedCommunication: Double
  /// What transfers and the host's update add, in seconds.
  let exposedOffload: Double

  /// Of a step whose communication and use of the host are known.
  init(
    _ scenario: Scenario, _ plan: TrainingPlan, _ step: TrainingStep,
    _ communication: Communication?, _ host: HostUse?
  ) {
    (self.scenario, self.plan, self.step) = (scenario, plan, step)
    exposedCommunication = communication?.exposedSeconds.value ?? 0
    exposedOffload = host?.exposedSeconds.value ?? 0
  }

  /// Of a step alone.
  init(_ scenario: Scenario, _ plan: TrainingPlan, _ step: TrainingStep) throws(PlanError) {
    self.init(
      scenario, plan, step, try Communication(step, over: scenario.interconnect),
      try HostUseBuilder(scenario: scenario, plan: plan, step: step).use())
  }

  /// The time.
  func time() throws(PlanError) -> StepTime {
    let kernels = plan.context.kernels
    let efficiency = scenario.device.efficiency
    let all = step.work.allTime
    let launching = kernels.isProcessor ? 0 : all.kernels * efficiency.kernels.launch
    let parts = [
      StepTime.Part(key: "matrix_products", seconds: all.products),
      StepTime.Part(key: "attention", seconds: all.attention),
      StepTime.Part(key: "memory_bound", seconds: all.memory),
      StepTime.Part(key: "launches", seconds: max(0, launching - all.seconds)),
      StepTime.Part(key: "optimizer", seconds: step.update.seconds(on: kernels)),
      StepTime.Part(key: "communication", seconds: exposedCommunication),
      StepTime.Part(key: "offload", seconds: exposedOffload),
    ]
    var expected = 0.0
    for part in parts { expected += part.seconds }
    let format = plan.context.autocast ?? plan.context.dtype
    let tokens = try checkedProduct(
      plan.context.batch, plan.context.sequence + (plan.context.targetSequence ?? 0),
      plan.microBatches, try checkedProduct(plan.mesh.context, plan.dataParallel))
    let flops = Double(step.work.flops)
    return StepTime(
      low: try Seconds(expected * efficiency.range.lowerBound),
      expected: try Seconds(expected),
      high: try Seconds(expected * efficiency.range.upperBound),
      parts: parts,
      recomputeFraction: expected > 0 ? step.work.recomputedTime.seconds / expected : 0,
      tokens: tokens, devices: try plan.mesh.devices(times: plan.dataParallel), modelFLOPs: flops,
      hardwareFLOPs: flops + Double(step.work.recomputed),
      peak: (format.size >= 4 ? kernels.rate32 : kernels.rate16) * (plan.context.float8 ? 2 : 1),
      basis: efficiency.basis)
  }

  /// What to tell the reader.
  var assumptions: [Assumption] {
    let efficiency = scenario.device.efficiency
    let known = efficiency.basis == .measured ? "measured" : "estimated"
    let share = Decimal.text(efficiency.kernels.products, digits: 2)
    let low = Decimal.text(efficiency.range.lowerBound, digits: 2)
    let high = Decimal.text(efficiency.range.upperBound, digits: 2)
    return [
      Assumption(
        "efficiency",
        "large matrix products at \(share) of the device's dense peak (\(known)), other kernels at their share of the "
          + "rate or the bandwidth, \(low) to \(high) of the expected time as the range",
        source: efficiency.source)
    ]
  }
}

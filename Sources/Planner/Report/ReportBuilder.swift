/// Turns a simulated step into a report: peaks with their places, the verdict, what was assumed.
struct ReportBuilder {
  private let scenario: Scenario
  private let plan: TrainingPlan
  private let graph: LayerGraph
  private let step: TrainingStep
  private let effort: ReservedMemory.Effort
  private let replayed: ReplayedStep

  /// - Parameter replayed: What the allocator replays, where that is not the whole graph.
  init(
    _ scenario: Scenario, _ plan: TrainingPlan, _ graph: LayerGraph, _ step: TrainingStep,
    _ effort: ReservedMemory.Effort, replayed: ReplayedStep? = nil
  ) {
    self.replayed = replayed ?? ReplayedStep(graph, plan, step)
    self.effort = effort
    self.scenario = scenario
    self.plan = plan
    self.graph = graph
    self.step = step
  }

  /// The report.
  func report() throws(PlanError) -> Report {
    let fold = try MemoryFold(step.schedule)
    let outside = try OutsideAllocator(scenario.device, communicators: plan.communicators)
    let reserved =
      isProcessor
      ? nil
      : try ReservedMemory(
        replayed, fold, settings: scenario.allocator,
        limit: scenario.device.memory.count - outside.high.count, effort: effort)
    var phases: [Report.PhasePeak] = []
    for (index, phase) in Phase.allCases.enumerated() {
      phases.append(self.phase(phase, fold.peaks[index], reserved?.phases[index]))
    }
    var top = phases[0]
    for phase in phases where phase.live > top.live { top = phase }
    var allocated = top.allocated
    for phase in phases { allocated = max(allocated, phase.allocated) }
    var held = Bytes.zero
    for phase in phases { held = max(held, phase.reserved) }
    let device = try Bytes(reserved?.highest ?? held.count) + outside.high
    let onHost = HostUseBuilder(scenario: scenario, plan: plan, step: step)
    let host = try onHost.use()
    let loading = try loading(outside)
    let fits =
      (reserved?.fits ?? (device <= scenario.device.memory))
      && loading?.device ?? .zero <= scenario.device.memory && host?.fits ?? true
    let communication = try Communication(step, over: scenario.interconnect)
    let timing = StepTimeBuilder(scenario, plan, step, communication, host)
    let counts = try parameters()
    let devices = try plan.mesh.devices(times: plan.dataParallel)
    return Report(
      name: scenario.name, device: scenario.device.name, model: scenario.model.name,
      parameters: counts.all, trainableParameters: counts.trainable,
      activeParameters: counts.active < counts.all ? counts.active : nil, fits: fits,
      peak: Report.Peak(
        live: top.live, allocated: allocated, reserved: held, device: device,
        phase: top.phase, operation: top.operation, breakdown: top.breakdown),
      capacity: scenario.device.memory, phases: phases, loading: loading,
      recompute: Report.Recompute(step.work), flops: FLOPs(step.work.flops + step.work.recomputed),
      recomputedFLOPs: FLOPs(step.work.recomputed),
      seconds: try Seconds(step.work.allTime.seconds), time: try timing.time(),
      devices: Report.DeviceCount(used: devices, minimum: fits ? devices : nil),
      communication: communication, host: host, allocator: reserved?.summary,
      assumptions: plan.assumptions + (host == nil ? [] : onHost.assumptions)
        + timing.assumptions + (communication?.assumptions ?? [])
        + scenario.model.assumptions
        + scenario.model.family.assumptions
        + (isProcessor
          ? ProcessorAllowance.assumptions(for: scenario)
          : (reserved?.assumptions ?? []) + outside.assumptions + scenario.stepAssumptions)
        + scenario.defaults)
  }

  private var isProcessor: Bool { scenario.device.kind == .processor }

  /// While weights are quantized, what just passed may still be cached: it is counted twice.
  private func loading(_ outside: OutsideAllocator) throws(PlanError) -> Report.Loading? {
    guard let peak = try LoadingPeak(step.weights, plan.context) else { return nil }
    return Report.Loading(
      live: peak.live, device: try peak.live + peak.passing + outside.high)
  }

  private func phase(
    _ phase: Phase, _ peak: MemoryFold.Peak, _ replayed: AllocatorReplay.PhasePeak?
  ) -> Report.PhasePeak {
    let place = PeakLocator(peak, in: step.schedule)
    return Report.PhasePeak(
      phase: phase, live: Bytes(peak.live), allocated: Bytes(replayed?.allocated ?? peak.live),
      reserved: Bytes(replayed?.reserved ?? peak.live),
      operation: describe(place, phase), breakdown: place.breakdown)
  }

  /// "layer 31: mlp.down_proj, mm (recomputed)".
  private func describe(_ place: PeakLocator, _ phase: Phase) -> String {
    guard place.operation >= 0, Int(place.operation) < graph.program.operations.count else {
      return Moment(rawValue: place.operation)?.text ?? "start of the phase"
    }
    let operation = graph.program.operations[Int(place.operation)]
    let layer = place.layer.map { graph.name(ofLayer: $0) + ": " } ?? ""
    return layer + "\(operation.module), \(operation.name)" + (place.again ? " (recomputed)" : "")
  }

  private func parameters() throws(PlanError) -> (all: Int, trainable: Int, active: Int) {
    var (all, trainable, active) = (0, 0, 0)
    let weights = plan.pipeline == nil ? step.weights : TrainingStep.weights(of: graph)
    for weight in weights {
      let elements = weight.whole ?? weight.spec.elements
      let (count, overflow) = elements.multipliedReportingOverflow(by: weight.count)
      let (sum, over) = all.addingReportingOverflow(count)
      guard !overflow, !over else { throw .overflow("parameters", "the sum of all weights") }
      all = sum
      if weight.trainable { trainable += count }
      active += weight.active.map { $0 * weight.count } ?? count
    }
    return (all, trainable, active)
  }
}

extension Report.Recompute {
  /// What a step computes again, relative to the rest of it.
  init(_ work: Work) {
    flopsFraction = work.recomputed > 0 ? Double(work.recomputed) / Double(work.flops) : 0
    let seconds = work.time.seconds
    timeFraction = seconds > 0 ? work.recomputedTime.seconds / seconds : 0
  }
}

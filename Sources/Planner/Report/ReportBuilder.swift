/// Turns a simulated step into a report: peaks with their places, the verdict, what was assumed.
struct ReportBuilder {
  private let scenario: Scenario
  private let plan: TrainingPlan
  private let graph: LayerGraph
  private let step: TrainingStep

  init(_ scenario: Scenario, _ plan: TrainingPlan, _ graph: LayerGraph, _ step: TrainingStep) {
    self.scenario = scenario
    self.plan = plan
    self.graph = graph
    self.step = step
  }

  /// The report.
  func report() throws(PlanError) -> Report {
    let fold = try MemoryFold(step.schedule)
    let allowance = DeviceAllowance(resident: Bytes(fold.net))
    var phases: [Report.PhasePeak] = []
    for (index, phase) in Phase.allCases.enumerated() {
      phases.append(try self.phase(phase, fold.peaks[index], allowance))
    }
    var top = phases[0]
    for phase in phases where phase.live > top.live { top = phase }
    var allocated = top.allocated
    for phase in phases { allocated = max(allocated, phase.allocated) }
    var reserved = Bytes.zero
    for phase in phases { reserved = max(reserved, phase.reserved) }
    let isProcessor = scenario.device.kind == .processor
    let device = try reserved + (isProcessor ? ProcessorAllowance.process : DeviceAllowance.context)
    let onHost = HostUseBuilder(scenario: scenario, plan: plan, step: step)
    let host = try onHost.use()
    let fits = device <= scenario.device.memory && host?.fits ?? true
    let counts = try parameters()
    return Report(
      name: scenario.name, device: scenario.device.name, model: scenario.model.name,
      parameters: counts.all, trainableParameters: counts.trainable,
      activeParameters: counts.active < counts.all ? counts.active : nil, fits: fits,
      peak: Report.Peak(
        live: top.live, allocated: allocated, reserved: reserved, device: device,
        phase: top.phase, operation: top.operation, breakdown: top.breakdown),
      capacity: scenario.device.memory, phases: phases,
      recompute: recompute, flops: FLOPs(step.work.flops + step.work.recomputed),
      seconds: try Seconds(step.work.seconds + step.work.recomputedSeconds),
      devices: Report.DeviceCount(used: plan.devices, minimum: fits ? plan.devices : nil),
      host: host,
      assumptions: plan.assumptions + (host == nil ? [] : onHost.assumptions)
        + scenario.model.assumptions
        + scenario.model.family.assumptions
        + (isProcessor
          ? ProcessorAllowance.assumptions(for: scenario) : allowance.assumptions(for: scenario))
        + scenario.defaults)
  }

  private func phase(
    _ phase: Phase, _ peak: MemoryFold.Peak, _ allowance: DeviceAllowance
  ) throws(PlanError) -> Report.PhasePeak {
    let place = PeakLocator(peak, in: step.schedule)
    let isProcessor = scenario.device.kind == .processor
    let allocated = Bytes(isProcessor ? peak.live : peak.rounded)
    return Report.PhasePeak(
      phase: phase, live: Bytes(peak.live), allocated: allocated,
      reserved: isProcessor ? allocated : try allowance.reserved(allocated, in: phase),
      operation: describe(place, phase), breakdown: place.breakdown)
  }

  /// "layer 31: mlp.down_proj, mm (recomputed)".
  private func describe(_ place: PeakLocator, _ phase: Phase) -> String {
    guard place.operation >= 0, Int(place.operation) < graph.program.operations.count else {
      return Moment(rawValue: place.operation)?.text ?? "start of the phase"
    }
    let operation = graph.program.operations[Int(place.operation)]
    let layer = place.layer.map { "layer \($0): " } ?? ""
    return layer + "\(operation.module), \(operation.name)" + (place.again ? " (recomputed)" : "")
  }

  private var recompute: Report.Recompute {
    let work = step.work
    return Report.Recompute(
      flopsFraction: work.recomputed > 0 ? Double(work.recomputed) / Double(work.flops) : 0,
      timeFraction: work.seconds > 0 ? work.recomputedSeconds / work.seconds : 0)
  }

  private func parameters() throws(PlanError) -> (all: Int, trainable: Int, active: Int) {
    var (all, trainable, active) = (0, 0, 0)
    for weight in step.weights {
      let (count, overflow) = weight.spec.elements.multipliedReportingOverflow(by: weight.count)
      let (sum, over) = all.addingReportingOverflow(count)
      guard !overflow, !over else { throw .overflow("parameters", "the sum of all weights") }
      all = sum
      if weight.trainable { trainable += count }
      active += weight.active.map { $0 * weight.count } ?? count
    }
    return (all, trainable, active)
  }
}

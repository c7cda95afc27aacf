/// What `FullyShardedDataParallel` does around a model and its layers.
///
/// A unit's flat parameter is gathered ahead of its forward and its backward. Backward ends with one flat gradient, made of the
/// gradients of all its parameters, which is cast, reduced and cut; the share is cast back and added to what is there.
///
/// Source: `torch/distributed/fsdp/_runtime_utils.py` and `_flat_param.py`, PyTorch 2.11.
final class FlatShardedStep: Distribution {
  private let settings: FullyShardedDataParallel
  private let program: Program
  private let stacks: [LayerStack]
  private let units: [FlatParameter?]
  /// Units of one adapter's weight each, by leaf: PEFT wraps them apart from the frozen layer around them.
  private let adapters: [Int: FlatParameter]
  private let plan: TrainingPlan
  /// What the adapters of each section take once they are gathered, and the first of them to run.
  private var adapterBytes: [Int] = []
  private var firstAdapters: Set<Int> = []

  /// What is gathered of each section's layers, the last one last.
  private var gathered: [[Int32]]
  /// What was gathered ahead.
  private var ahead: (section: Int, storage: Int32)?
  /// The sections of the layers in the order in which they ran.
  private var ran: [Int] = []
  /// The gradients of the unit in backward, by leaf.
  private var gradients: [Int32]
  /// The units whose backward has begun, with what is gathered of them.
  private var active: [(section: Int, storage: Int32)] = []
  /// The unit above, whose gradients wait until the one below is done.
  private var delayed: (section: Int, gradients: [Int32])?
  /// The flat gradient at hand.
  private var flat: Int32 = -1
  /// Frozen layers that are cut only when backward is over.
  private var late: [Int] = []
  /// Bytes that another stream still reads when backward is over: the next allocation frees them.
  private var lingering = 0
  /// Flat gradients that wait for a later micro-batch, in the order of backward.
  private var waiting: [Int32] = []
  /// Reduced gradients that stay on the device until backward is over, though the host has them.
  private var copied: [Int32] = []
  private var turn = 0
  private var isLast = true
  private var isFirst = true
  private var hasReduced = false
  /// Whether layers kept their gathered parameters from the micro-batch before.
  private var keepsGathered = false
  /// What the optimizer updates on this device.
  private var trained: [TrainingStep.Weight] = []
  /// What all gradients of this device take.
  private var gradientBytes = 0

  var lastLayerDiffers: Bool { true }
  var lastMicroBatchDiffers: Bool { settings.defersReduction && plan.microBatches > 1 }
  var clips: Bool { !settings.isWhole }

  /// The CUDA streams whose memory buffers come from: of what precedes a gather, of the gather, and of the reduction.
  private static let (casting, gathering, reducing): (UInt8, UInt8, UInt8) = (1, 2, 3)

  init(_ settings: FullyShardedDataParallel, _ graph: LayerGraph, _ plan: TrainingPlan)
    throws(PlanError)
  {
    self.settings = settings
    self.plan = plan
    program = graph.program
    stacks = graph.stacks
    var units: [FlatParameter?] = []
    var adapters: [Int: FlatParameter] = [:]
    let adapts = !plan.adaptedModules.isEmpty
    func unit(_ leaves: [Int]) throws(PlanError) -> FlatParameter? {
      try FlatParameter(
        leaves, of: graph.program, ranks: settings.shards, shards: settings.ranks,
        isAligned: settings.keepsOriginals)
    }
    let inLayers = program.sections.indices.dropFirst().map { graph.program.sections[$0].leaves }
    var adapterBytes = Array(repeating: 0, count: program.sections.count)
    var firstAdapters: Set<Int> = []
    for section in program.sections.indices {
      let leaves =
        section > 0
        ? Array(program.sections[section].leaves)
        : program.leaves.indices.filter { leaf in !inLayers.contains { $0.contains(leaf) } }
      let own = leaves.filter { adapts && graph.program.leaves[$0].trainable }
      for leaf in own {
        adapters[leaf] = try unit([leaf])
        adapterBytes[section] += adapters[leaf]?.gatheredBytes(settings.ranks) ?? 0
      }
      if let first = own.first { firstAdapters.insert(first) }
      units.append(try unit(leaves.filter { !own.contains($0) }))
    }
    (self.adapters, self.adapterBytes, self.firstAdapters) = (adapters, adapterBytes, firstAdapters)
    self.units = units
    gathered = Array(repeating: [], count: units.count)
    gradients = Array(repeating: -1, count: program.leaves.count)
  }

  // MARK: What stays

  /// The first rank's share: pieces of the original parameters, or one flat tensor for each unit.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    var local: [TrainingStep.Weight] = []
    for var weight in weights {
      guard let unit = unit(of: weight.leaf),
        let position = unit.leaves.firstIndex(of: weight.leaf)
      else { continue }
      if !settings.keepsOriginals {
        guard position == 0 else { continue }
        weight.spec = try TensorSpec(1, unit.share, unit.stored)
      } else if settings.isWhole {
        weight.spec = weight.spec.cast(to: unit.stored)
      } else {
        guard unit.portions[position] > 0 || unit.scales[weight.leaf] != nil else { continue }
        weight.spec = try TensorSpec(1, unit.portions[position], unit.stored)
      }
      weight.tensors = [weight.spec.bytes]
      weight.loading = []
      local.append(weight)
    }
    trained = local.filter { $0.trainable && $0.count > 0 }
    return local
  }

  /// The unit that a weight is in.
  private func unit(of leaf: Int) -> FlatParameter? {
    adapters[leaf]
      ?? units[program.sections.indices.dropFirst().first {
        program.sections[$0].leaves.contains(leaf)
      } ?? 0]
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for weight in weights where weight.count > 0 && !settings.offloads {
      guard let unit = unit(of: weight.leaf) else { continue }
      for bytes in unit.scales[weight.leaf] ?? [] {
        tape.schedule.allocate(bytes, count: weight.count, .parameters, moment)
      }
      guard unit.leaves.first == weight.leaf else { continue }
      let bytes = unit.share &* unit.stored.size
      tape.schedule.allocate(bytes, count: weight.count, .parameters, moment)
      guard unit.isTrained else { continue }
      let (sum, overflow) = gradientBytes.addingReportingOverflow(
        try checkedProduct(bytes, weight.count))
      guard !overflow else { throw .overflow("bytes", "the sum of all gradients") }
      gradientBytes = sum
    }
    // The zero that stands for the norm of no gradients (`_zero_scalar`).
    if plan.clipping != nil { tape.schedule.allocate(4, .other, moment) }
  }

  func begin(isLast: Bool) {
    self.isLast = isLast
    turn = 0
    lingering = 0
  }

  // MARK: Forward

  func beforeForward(_ section: Int, in tape: inout Tape) {
    if section == 0, isFirst, keepsGradients, !settings.offloads {
      // `zero_grad` let go of the parameters' gradients; the flat ones they were pieces of go now. Without the original
      // parameters they go at once, but another stream has read those that are whole, so their memory waits.
      let moment = Moment.phaseStart.rawValue
      tape.release(tape.allocate(gradientBytes, .gradients, moment), moment)
    }
    if !keepsGathered { open(section, &tape) } else { passHost(section, &tape) }
    if section > 0 { ran.append(section) }
    guard settings.prefetchesForward, let next = following(section, tape) else { return }
    if !keepsGathered { ahead = (next, gather(next, &tape)) } else { passHost(next, &tape) }
  }

  private var keepsGradients: Bool {
    guard !settings.keepsOriginals, let unit = units[0] else { return true }
    return settings.isWhole && !unit.isCast && reduceFormat(of: unit) == unit.stored
  }

  func afterForward(_ section: Int, in tape: inout Tape) {
    if settings.isWhole || section > 0 && settings.sharding.reshards { close(section, &tape) }
  }

  /// The section that runs forward next.
  private func following(_ section: Int, _ tape: Tape) -> Int? {
    var index = 0
    if section > 0 {
      guard let event = tape.schedule.events.last(where: { $0.kind == .layer }) else { return nil }
      index = event.bytes + 1
    }
    for stack in stacks {
      guard index >= stack.layers else {
        if let leading = stack.leading, index < leading.count { return leading.section }
        return stack.pattern[(index - (stack.leading?.count ?? 0)) % stack.pattern.count]
      }
      index -= stack.layers
    }
    return nil
  }

  /// The unit computes with gathered parameters from here on.
  private func open(_ section: Int, _ tape: inout Tape) {
    if let next = ahead, next.section == section {
      gathered[section].append(next.storage)
      ahead = nil
    } else {
      gathered[section].append(gather(section, &tape))
    }
  }

  /// The unit's parameters are cut again.
  private func close(_ section: Int, _ tape: inout Tape) {
    guard let storage = gathered[section].popLast() else { return }
    tape.release(storage, Moment.allGather.rawValue)
  }

  /// Gathers a unit's shares.
  private func gather(_ section: Int, _ tape: inout Tape) -> Int32 {
    guard let unit = units[section] else { return -1 }
    let moment = Moment.allGather.rawValue
    let shard = shareOnDevice(unit, &tape)
    guard !settings.isWhole else { return shard }
    // The original parameters stay views of the copy from the host until the unit is cut again.
    let copy =
      settings.offloads && settings.keepsOriginals && !unit.isCast
      ? unit.share &* unit.stored.size : 0
    if copy > 0 { tape.release(shard, moment) }
    // A layer's adapters are gathered one by one; only where they stay for backward do they add up.
    let beside = settings.sharding.reshards ? 0 : adapterBytes[section]
    let whole = tape.allocate(
      unit.gatheredBytes(settings.ranks) &+ copy &+ beside, .parameters, moment,
      stream: Self.gathering)
    if copy == 0 { tape.release(shard, moment) }
    tape.communicate(.allGather, unit.gatheredBytes(settings.ranks), among: settings.ranks)
    return whole
  }

  /// The share as it is gathered, where it is not there already: cast, copied from the host, or both.
  private func shareOnDevice(_ unit: FlatParameter, _ tape: inout Tape) -> Int32 {
    let moment = Moment.allGather.rawValue
    func allocate(_ format: DType, _ role: Role, _ tape: inout Tape) -> Int32 {
      tape.allocate(
        unit.share &* format.size, settings.isWhole ? .parameters : role, moment,
        stream: Self.casting)
    }
    guard unit.isCast else {
      return settings.offloads ? allocate(unit.stored, .communication, &tape) : -1
    }
    let cast = allocate(unit.compute, .communication, &tape)
    if settings.offloads {
      tape.release(allocate(unit.stored, .communication, &tape), moment)
    }
    return cast
  }

  /// A share on the host comes to the device even where the unit is gathered already.
  private func passHost(_ section: Int, _ tape: inout Tape) {
    guard settings.offloads, !settings.isWhole, let unit = units[section] else { return }
    tape.release(shareOnDevice(unit, &tape), Moment.allGather.rawValue)
  }

  // MARK: Backward

  func beforeBackward(_ section: Int, in tape: inout Tape) {
    if needsGather(section) {
      open(section, &tape)
    } else if ahead?.section == section {
      ahead = nil
    } else {
      passHost(section, &tape)
    }
    if let storage = gathered[section].last {
      active.append((section, storage))
      if frees { gathered[section].removeLast() }
    }
    if section > 0 { ran.removeLast() }
    // Between two layers lie the adapters of the upper one: the first of them to run asks for the layer below.
    if settings.prefetch == .before, section == 0 || adapters.isEmpty { prefetch(&tape) }
  }

  /// Gathers the layer below ahead of its backward.
  private func prefetch(_ tape: inout Tape) {
    guard let next = ran.last, ahead == nil else { return }
    if needsGather(next) {
      ahead = (next, gather(next, &tape))
    } else {
      passHost(next, &tape)
      ahead = (next, -1)
    }
  }

  /// Whether forward freed the section's parameters.
  private func needsGather(_ section: Int) -> Bool {
    settings.isWhole || section > 0 && settings.sharding.reshards
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    guard let unit = adapters[leaf] else {
      gradients[leaf] = gradient
      return
    }
    if settings.prefetch == .before, firstAdapters.contains(leaf) { prefetch(&tape) }
    join([gradient], of: unit, &tape)
  }

  /// With forward prefetching, a unit's views were made ahead of the operations of the unit before: autograd, which
  /// takes the latest node first, joins their gradients behind that unit's backward.
  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    if units[section]?.isTrained != true, !reachesInput {
      // No input wants a gradient that would tell when the layer is done.
      late.append(section)
      return
    }
    guard settings.prefetchesForward, adapters.isEmpty else {
      return finish(section, take(section), &tape)
    }
    finishDelayed(&tape)
    delayed = (section, take(section))
  }

  func endBackward(in tape: inout Tape) {
    finishDelayed(&tape)
    // The root is the first whose backward began.
    finish(0, take(0), &tape)
    for section in late { finish(section, [], &tape) }
    late = []
    if let next = ahead { tape.release(next.storage, Moment.allGather.rawValue) }
    ahead = nil
    for gradient in copied { tape.release(gradient, Moment.reduceScatter.rawValue) }
    copied = []
    isFirst = false
    if reduces { hasReduced = true }
    keepsGathered = !frees
  }

  private func finishDelayed(_ tape: inout Tape) {
    guard let unit = delayed else { return }
    delayed = nil
    finish(unit.section, unit.gradients, &tape)
  }

  /// The gradients of a unit's parameters.
  private func take(_ section: Int) -> [Int32] {
    guard let unit = units[section], unit.isTrained else { return [] }
    return unit.leaves.map { leaf in
      defer { gradients[leaf] = -1 }
      return gradients[leaf]
    }
  }

  /// Whether backward frees gathered parameters.
  private var frees: Bool { reduces || settings.sharding.reshards || settings.isWhole }

  private var reduces: Bool { isLast || !settings.defersReduction }

  /// Behind the backward of a unit: its gradients become one, its parameters are cut, the gradient is reduced.
  private func finish(_ section: Int, _ made: [Int32], _ tape: inout Tape) {
    guard let unit = units[section] else { return }
    if unit.isTrained { flat = joined(made, of: unit, &tape) }
    if let index = active.firstIndex(where: { $0.section == section }) {
      let storage = active[index].storage
      if frees, !settings.isWhole, !unit.isTrained {
        // The root's and the last layer's are freed with nothing allocated since.
        let bytes = tape.storages[Int(storage)].bytes
        let isLastLayer = late.isEmpty && !settings.prefetchesForward
        if section > 0, !late.contains(section) {
          lingering = isLastLayer ? bytes : 0
        } else {
          lingering = (section == 0 && !late.isEmpty ? 0 : lingering) &+ bytes
        }
      }
      if frees { tape.release(storage, Moment.allGather.rawValue) }
      active.remove(at: index)
    }
    if settings.prefetch == .after, section > 0, !settings.prefetchesForward { prefetch(&tape) }
    if unit.isTrained { settle(of: unit, &tape) }
  }

  /// An adapter's gradient is complete.
  private func join(_ made: [Int32], of unit: FlatParameter, _ tape: inout Tape) {
    flat = joined(made, of: unit, &tape)
    settle(of: unit, &tape)
  }

  /// Makes one flat gradient of a unit's, and adds it to what waits from an earlier micro-batch.
  private func joined(_ made: [Int32], of unit: FlatParameter, _ tape: inout Tape) -> Int32 {
    let moment = Moment.reduceScatter.rawValue
    // The views were made on the gather's stream, so their backward runs there.
    let zeros = unit.padding.map {
      tape.allocate($0 &* unit.compute.size, .gradients, moment, stream: Self.gathering)
    }
    let whole = tape.allocate(
      unit.elements &* unit.compute.size, .gradients, moment, stream: Self.gathering)
    for part in zeros + made { tape.release(part, moment) }
    guard turn < waiting.count else { return whole }
    tape.release(whole, moment)
    return waiting[turn]
  }

  /// Keeps the flat gradient for a later micro-batch, or reduces it.
  private func settle(of unit: FlatParameter, _ tape: inout Tape) {
    if !reduces {
      if turn == waiting.count { waiting.append(flat) }
    } else if settings.isWhole {
      reduceWhole(flat, of: unit, &tape)
    } else {
      reduce(flat, of: unit, &tape)
    }
    turn += 1
  }

  /// Casts, reduces and cuts a flat gradient.
  private func reduce(_ flat: Int32, of unit: FlatParameter, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let format = reduceFormat(of: unit)
    var inputs = [flat]
    func allocate(_ bytes: Int, _ role: Role, _ tape: inout Tape) -> Int32 {
      tape.allocate(bytes, role, moment, stream: Self.reducing)
    }
    if format != unit.compute {
      inputs.append(allocate(unit.elements &* format.size, .communication, &tape))
    }
    let padded = unit.share &* settings.ranks
    if padded != unit.elements {
      inputs.append(allocate(padded &* format.size, .communication, &tape))
    }
    var reduced = allocate(unit.share &* format.size, .gradients, &tape)
    tape.communicate(.reduceScatter, padded &* format.size, among: settings.ranks)
    tape.communicate(.allReduce, unit.share &* format.size, among: settings.replicas)
    if format != unit.stored {
      let cast = allocate(unit.share &* unit.stored.size, .gradients, &tape)
      if settings.replicas > 1, isRoot(unit) { linger(reduced, tape) }
      tape.release(reduced, moment)
      reduced = cast
    } else if settings.replicas > 1, hasReduced, isRoot(unit) {
      linger(reduced, tape)
    }
    keep(reduced, &tape)
    if isRoot(unit) { linger(flat, tape) }
    for input in inputs { tape.release(input, moment) }
  }

  private func isRoot(_ unit: FlatParameter) -> Bool { unit.leaves.first == units[0]?.leaves.first }

  /// What another stream was given to read outlives its last reference, until the next allocation.
  private func linger(_ storage: Int32, _ tape: Tape) {
    lingering += tape.storages[Int(storage)].bytes
  }

  /// The gradient of a unit that is not cut.
  private func reduceWhole(_ flat: Int32, of unit: FlatParameter, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let format = reduceFormat(of: unit)
    tape.communicate(.allReduce, unit.elements &* format.size, among: settings.shards)
    // Autograd has added it to what an earlier micro-batch left, which is cast there and back again.
    let old = hasReduced ? unit.stored : unit.compute
    if hasReduced { tape.release(flat, Moment.accumulation.rawValue) }
    var gradient: Int32 = hasReduced ? -1 : flat
    if old != format {
      gradient = tape.allocate(
        unit.elements &* format.size, .gradients, moment, stream: Self.reducing)
    }
    if format != unit.stored {
      let cast = tape.allocate(
        unit.elements &* unit.stored.size, .gradients, moment, stream: Self.reducing)
      if gradient != flat { tape.release(gradient, moment) }
      gradient = cast
    }
    if !hasReduced, gradient != flat {
      if isRoot(unit) { linger(flat, tape) }
      tape.release(flat, moment)
    } else if isRoot(unit), gradient == flat {
      // Nothing was allocated since the parameters' own gradients were freed.
      lingering += unit.leaves.reduce(0) { $0 &+ program.leaves[$1].spec.bytes }
    }
    keep(gradient, &tape)
  }

  /// The reduced gradient is kept, added to what is there, or copied to the host.
  private func keep(_ reduced: Int32, _ tape: inout Tape) {
    if settings.offloads {
      copied.append(reduced)
    } else if hasReduced {
      tape.release(reduced, Moment.accumulation.rawValue)
    } else {
      tape.gradients.append(reduced)
    }
  }

  private func reduceFormat(of unit: FlatParameter) -> DType {
    settings.reduceFormat ?? settings.parameterFormat ?? unit.stored
  }

  func carry(from inner: Int, to outer: Int, in tape: inout Tape) {
    if let next = ahead { tape.carry(next.storage, from: inner, to: outer) }
    for gradient in delayed?.gradients ?? [] { tape.carry(gradient, from: inner, to: outer) }
    for unit in active { tape.carry(unit.storage, from: inner, to: outer) }
  }

  // MARK: Clipping

  /// `FullyShardedDataParallel.clip_grad_norm_`: the norm of each gradient in fp32, all of them stacked, their norm.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    schedule.allocate(lingering, .gradients, Moment.phaseStart.rawValue)
    schedule.free(lingering, .gradients, Moment.phaseStart.rawValue)
    guard clips, plan.clipping != nil else { return }
    var count = 0
    for weight in trained { count += weight.count }
    let kernels = plan.context.kernels
    var norms = OptimizerStep(weights: trained, schedule: schedule, moment: .clipping, role: .other)
    norms.forEach { step, weight, _ in
      step.allocate(4)
      step.passing(TotalNorm.workspace(elements: weight.spec.elements, on: kernels))
    }
    norms.allocate(4, count: count)
    norms.passing(4 + TotalNorm.workspace(elements: count, on: kernels))
    norms.free(4, count: 2 * count)
    schedule = norms.schedule
  }
}

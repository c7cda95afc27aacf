/// What `FullyShardedDataParallel` does around a model and its layers.
///
/// A unit's flat parameter is gathered ahead of its forward and its backward. Backward ends with one flat gradient, made of the
/// gradients of all its parameters, which is cast, reduced and cut; the share is cast back and added to what is there.
///
/// Source: `torch/distributed/fsdp/_runtime_utils.py` and `_flat_param.py`, PyTorch 2.11.
final class FlatShardedStep: Distribution {
  let settings: FullyShardedDataParallel
  let program: Program
  let stacks: [LayerStack]
  let units: [FlatParameter?]
  /// Units of one adapter's weight each, by leaf: PEFT wraps them apart from the frozen layer around them.
  let adapters: [Int: FlatParameter]
  let plan: TrainingPlan
  /// What the adapters of each section take once they are gathered, and the first of them to run.
  var adapterBytes: [Int] = []
  var firstAdapters: Set<Int> = []

  /// What is gathered of each section's layers, the last one last.
  var gathered: [[Int32]]
  /// What was gathered ahead.
  var ahead: (section: Int, storage: Int32)?
  /// The sections of the layers in the order in which they ran.
  var ran: [Int] = []
  /// The gradients of the unit in backward, by leaf.
  var gradients: [Int32]
  /// The units whose backward has begun, with what is gathered of them.
  var active: [(section: Int, storage: Int32)] = []
  /// The unit above, whose gradients wait until the one below is done.
  var delayed: (section: Int, gradients: [Int32])?
  /// The flat gradient at hand.
  var flat: Int32 = -1
  /// Frozen layers that are cut only when backward is over.
  var late: [Int] = []
  /// Bytes that another stream still reads when backward is over: the next allocation frees them.
  var lingering = 0
  /// Inputs of frozen layers and their gradients, which hooks hold until backward is over.
  var hooked: [Int32] = []
  /// Flat gradients that wait for a later micro-batch, in the order of backward.
  var waiting: [Int32] = []
  /// Reduced gradients that stay on the device until backward is over, though the host has them.
  var copied: [Int32] = []
  var turn = 0
  var isLast = true
  var isFirst = true
  var hasReduced = false
  /// Whether layers kept their gathered parameters from the micro-batch before.
  var keepsGathered = false
  /// What the optimizer updates on this device.
  var trained: [TrainingStep.Weight] = []
  /// What all gradients of this device take.
  var gradientBytes = 0

  var lastLayerDiffers: Bool { true }
  var lastMicroBatchDiffers: Bool { settings.defersReduction && plan.microBatches > 1 }
  var clips: Bool { !settings.isWhole }
  var walksEveryLayer: Bool { holdsInputs }
  /// Whether frozen units run inside reentrant checkpoints, which hand them inputs that are leaves.
  private var holdsInputs: Bool {
    !plan.adaptedModules.isEmpty && plan.checkpointsReentrantly
      && settings.isCheckpointedWhole
  }

  /// The CUDA streams whose memory buffers come from: the model's, that of what precedes a gather, of the gather, of the
  /// reduction, and of replicas' sum.
  static let (computing, casting, gathering, reducing): (UInt8, UInt8, UInt8, UInt8) = (0, 1, 2, 3)
  static let averaging: UInt8 = 4

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
  func unit(of leaf: Int) -> FlatParameter? {
    adapters[leaf]
      ?? units[
        program.sections.indices.dropFirst().first {
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
      tape.schedule.allocate(gradientBytes, .gradients, moment, storage: Event.lingering)
      tape.schedule.free(gradientBytes, .gradients, moment, storage: Event.lingering)
    }
    if !keepsGathered { open(section, &tape) } else { passHost(section, &tape) }
    if section > 0 { ran.append(section) }
    guard settings.prefetchesForward, let next = following(section, tape) else { return }
    if !keepsGathered { ahead = (next, gather(next, &tape)) } else { passHost(next, &tape) }
  }

  var keepsGradients: Bool {
    guard !settings.keepsOriginals, let unit = units[0] else { return true }
    return settings.isWhole && !unit.isCast && reduceFormat(of: unit) == unit.stored
  }

  func afterForward(_ section: Int, in tape: inout Tape) {
    if settings.isWhole || section > 0 && settings.sharding.reshards { close(section, &tape) }
  }

  /// The section that runs forward next.
  func following(_ section: Int, _ tape: Tape) -> Int? {
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
  func prefetch(_ tape: inout Tape) {
    guard let next = ran.last, ahead == nil else { return }
    if needsGather(next) {
      ahead = (next, gather(next, &tape))
    } else {
      passHost(next, &tape)
      ahead = (next, -1)
    }
  }

  /// Whether forward freed the section's parameters.
  func needsGather(_ section: Int) -> Bool {
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

  /// A frozen unit is cut once the gradients of its inputs are there: a hook on them holds each input's
  /// `AccumulateGrad`, and with it the input and its gradient, until it is taken away at the end of backward.
  ///
  /// Source: `_register_post_backward_reshard_only_hook` in `torch/distributed/fsdp/_runtime_utils.py`.
  func afterReentrant(_ section: Int, input: Int32, gradient: Int32, in tape: inout Tape) {
    tape.communicate(
      .allGather, units[section]?.gatheredBytes(settings.ranks) ?? 0, among: settings.ranks)
    guard holdsInputs, units[section]?.isTrained == false else { return }
    for storage in [input, gradient] where storage >= 0 {
      tape.retain(storage)
      hooked.append(storage)
    }
  }

  func endBackward(in tape: inout Tape) {
    finishDelayed(&tape)
    for storage in hooked { tape.release(storage, Moment.end.rawValue) }
    hooked = []
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

  func finishDelayed(_ tape: inout Tape) {
    guard let unit = delayed else { return }
    delayed = nil
    finish(unit.section, unit.gradients, &tape)
  }

  /// The gradients of a unit's parameters.
  func take(_ section: Int) -> [Int32] {
    guard let unit = units[section], unit.isTrained else { return [] }
    return unit.leaves.map { leaf in
      defer { gradients[leaf] = -1 }
      return gradients[leaf]
    }
  }

  /// Whether backward frees gathered parameters.
  var frees: Bool { reduces || settings.sharding.reshards || settings.isWhole }

  var reduces: Bool { isLast || !settings.defersReduction }

  /// Behind the backward of a unit: its gradients become one, its parameters are cut, the gradient is reduced.
  func finish(_ section: Int, _ made: [Int32], _ tape: inout Tape) {
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
      if frees { cut(storage, &tape) }
      active.remove(at: index)
    }
    if settings.prefetch == .after, section > 0, !settings.prefetchesForward { prefetch(&tape) }
    if unit.isTrained { settle(of: unit, &tape) }
  }

  func carry(from inner: Int, to outer: Int, in tape: inout Tape) {
    if let next = ahead { tape.carry(next.storage, from: inner, to: outer) }
    for gradient in delayed?.gradients ?? [] { tape.carry(gradient, from: inner, to: outer) }
    for unit in active { tape.carry(unit.storage, from: inner, to: outer) }
  }
}

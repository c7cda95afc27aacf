/// What PyTorch's `fully_shard` (FSDP2) does around a model and its layers.
///
/// Each layer is a group and what is left is the root's. A group is gathered ahead of its forward and its backward and
/// its gradients are reduced behind its backward; the gather of the layer below is issued ahead, in backward only.
///
/// Source: `FSDPParamGroup` and `FSDPState`, `torch/distributed/fsdp/_fully_shard`, PyTorch 2.11.
final class FullyShardedStep: Distribution {
  private let settings: FullyShard
  private let program: Program
  let groups: [ParameterGroup]
  private let microBatches: Int
  private let optimizer: any Optimizer
  /// The shards that lie on the host, and what updates them.
  private var plan: (weights: [TrainingStep.Weight], optimizer: any Optimizer)?

  /// The gathered buffer that the group before left, until the next is copied out.
  private var lastGather: Int32 = -1
  /// The gather that was issued ahead.
  private var pending: (section: Int, storage: Int32) = (-1, -1)
  /// Gathered parameters of each section's layers that have not been resharded, or their smaller shards.
  var gathered: [[[Int32]]]
  /// The sections of the layers in the order in which they ran.
  private var ran: [Int] = []
  /// The gradients of the group in backward, by leaf.
  private var gradients: [Int32]
  /// The input of the last reduce-scatter.
  var reduceInput: Int32 = -1
  /// What was reduced over replicas, which is kept until backward ends (HSDP).
  var allReduceInputs: [Int32] = []
  /// Groups whose input wants no gradient: they are reduced at the end.
  private var late: [Int] = []
  /// Gradients that wait for a later micro-batch: those of each group, in the order of backward.
  private(set) var waiting: [[Int32]] = []
  /// The groups that these are of.
  private(set) var waitingGroups: [Int] = []
  /// Whether a pipeline's schedule keeps parameters gathered, and reduces once behind all micro-batches.
  let isPipeline: Bool
  private var turn = 0
  private var isFirst = true
  private var isLast = true
  private var hasReduced = false

  var lastLayerDiffers: Bool { true }
  var lastMicroBatchDiffers: Bool {
    isPipeline || settings.defersReduction && microBatches > 1
  }

  init(_ settings: FullyShard, _ program: Program, _ plan: TrainingPlan) throws(PlanError) {
    self.settings = settings
    self.program = program
    microBatches = plan.microBatches
    isPipeline = plan.pipeline != nil
    optimizer = plan.optimizer
    var groups: [ParameterGroup] = []
    let inLayers = program.sections.indices.dropFirst().map { program.sections[$0].leaves }
    for section in program.sections.indices {
      let leaves =
        section > 0
        ? Array(program.sections[section].leaves)
        : program.leaves.indices.filter { leaf in !inLayers.contains { $0.contains(leaf) } }
      groups.append(
        try ParameterGroup(
          leaves, of: program, shards: settings.shards, kernels: plan.context.kernels))
    }
    self.groups = groups
    gathered = Array(repeating: [], count: groups.count)
    gradients = Array(repeating: -1, count: program.leaves.count)
  }

  /// The CUDA streams whose memory the buffers come from: of the copy into the all-gather, the reduce-scatter and
  /// the all-reduce.
  private static let (copyIn, reducing, allReducing): (UInt8, UInt8, UInt8) = (1, 2, 3)

  // MARK: What stays

  /// The first rank's share of each weight: no other rank has more.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    var local = weights
    for index in local.indices {
      let leaf = program.leaves[local[index].leaf]
      let elements = try ParameterGroup.shard(of: leaf, shards: settings.shards)
      let columns = leaf.spec.elements > 0 ? leaf.spec.columns : 1
      local[index].spec =
        leaf.leading > 1 && leaf.spec.rows > 1 && elements % max(columns, 1) == 0
        ? try TensorSpec(elements / max(columns, 1), columns, leaf.stored)
        : try TensorSpec(1, elements, leaf.stored)
      local[index].tensors = [local[index].spec.bytes]
    }
    return local
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    guard !settings.offloads else {
      plan = (weights, optimizer)
      return
    }
    for weight in weights where weight.count > 0 {
      tape.schedule.allocate(
        weight.spec.bytes, count: weight.count, .parameters, Moment.resident.rawValue)
    }
  }

  func begin(isLast: Bool) {
    self.isLast = isLast
    isFirst = waiting.isEmpty && !hasReduced
    turn = 0
  }

  /// With `CPUOffloadPolicy` all shards, their gradients and the optimizer's states lie on the host, pinned but for
  /// the states; a micro-batch takes the shards to the device twice.
  var hostShare: HostShare? {
    get throws(PlanError) {
      guard settings.offloads, let plan else { return nil }
      var host = HostShare()
      var (parameters, gradients) = (0, 0)
      for weight in plan.weights where weight.count > 0 {
        let all = try checkedProduct(weight.spec.bytes, weight.count)
        func keep(_ role: Role, isPinned: Bool) {
          let (each, count) = weight.count <= 4096 ? (weight.spec.bytes, weight.count) : (all, 1)
          let tensor = HostTensor(each, role, isPinned: isPinned)
          host.tensors += Array(repeating: tensor, count: count)
        }
        keep(.parameters, isPinned: true)
        parameters &+= all
        guard weight.trainable else { continue }
        keep(.gradients, isPinned: true)
        gradients &+= all
        for state in try plan.optimizer.states(of: weight.spec) {
          let states = try checkedProduct(state.bytes, weight.count)
          host.tensors.append(HostTensor(states, .optimizerState, isPinned: false))
        }
      }
      let resharded = settings.layerReshard == .never ? 1 : 2
      host.moved = OptimizerTransfers(
        toHost: gradients, toDevice: try checkedProduct(parameters, resharded, microBatches),
        updatedOnHost: plan.weights.filter(\.trainable).reduce(0) {
          $0 &+ $1.spec.elements &* $1.count
        })
      return host
    }
  }

  // MARK: Forward

  func beforeForward(_ section: Int, in tape: inout Tape) {
    unshard(section, &tape)
    wait(section, isForward: true, &tape)
    if section > 0 { ran.append(section) }
  }

  func afterForward(_ section: Int, in tape: inout Tape) {
    switch section == 0 ? settings.rootReshard : settings.layerReshard {
    case .always where !isPipeline: reshard(section, &tape)
    case .always, .never: break
    case .to(let ranks): reshard(section, to: ranks, &tape)
    }
    guard section == 0 else { return }
    tape.release(lastGather, Moment.end.rawValue)
    lastGather = -1
  }

  /// Issues the gather: the shares are cast, the buffer is made.
  private func unshard(_ section: Int, _ tape: inout Tape) {
    guard pending.section != section, needsGather(section) else { return }
    let group = groups[section]
    let moment = Moment.allGather.rawValue
    if settings.shards > 1 {
      var inputs: [Int32] = []
      if settings.offloads {
        // Every share is copied to the device, and cast there if need be.
        for (share, cast) in zip(group.shares, group.casts) {
          let copy = tape.allocate(share, .communication, moment, stream: Self.copyIn)
          guard cast > 0 else {
            inputs.append(copy)
            continue
          }
          inputs.append(tape.allocate(cast, .communication, moment, stream: Self.copyIn))
          tape.release(copy, moment)
        }
      } else if group.castBytes > 0 {
        inputs.append(
          tape.allocate(group.castBytes, .communication, moment, stream: Self.copyIn))
      }
      pending = (
        section,
        tape.allocate(group.gatheredBytes, .communication, moment, stream: Self.copyIn)
      )
      for input in inputs { tape.release(input, moment) }
      tape.communicate(.allGather, group.gatheredBytes, among: settings.shards)
    } else {
      pending = (section, -1)
    }
  }

  /// Copies the parameters out of the gathered buffer.
  private func wait(_ section: Int, isForward: Bool, _ tape: inout Tape) {
    guard pending.section == section else { return }
    let group = groups[section]
    let moment = Moment.allGather.rawValue
    let buffer = pending.storage
    pending = (-1, -1)
    var parameters: [Int32] = []
    if settings.shards > 1 {
      for bytes in group.gathered { parameters.append(tape.allocate(bytes, .parameters, moment)) }
      tape.release(tape.allocate(group.copyOutIndex, .communication, moment), moment)
    } else {
      var cast: Int32 = -1
      for (bytes, format) in zip(group.gathered, group.casts) {
        let next = format > 0 ? tape.allocate(format, .communication, moment) : -1
        tape.release(cast, moment)
        cast = next
        parameters.append(tape.allocate(bytes, .parameters, moment))
      }
      tape.release(cast, moment)
    }
    // The smaller shards that forward left give way.
    if let kept = gathered[section].last, !isForward {
      for share in kept { tape.release(share, moment) }
      gathered[section].removeLast()
    }
    gathered[section].append(parameters)
    if isForward {
      tape.release(lastGather, moment)
      lastGather = buffer
    } else {
      tape.release(buffer, moment)
    }
  }

  /// Whether the section's parameters are in shards: in backward, whether forward resharded them.
  private func needsGather(_ section: Int) -> Bool {
    if isPipeline { return !inBackward && isFirst }
    guard !inBackward else {
      switch section == 0 ? settings.rootReshard : settings.layerReshard {
      case .never: return false
      case .always, .to: return true
      }
    }
    return true
  }

  private var inBackward = false

  private func reshard(_ section: Int, _ tape: inout Tape) {
    guard let parameters = gathered[section].popLast() else { return }
    for parameter in parameters { tape.release(parameter, Moment.allGather.rawValue) }
  }

  /// Keeps the part that fewer ranks need to gather again.
  private func reshard(_ section: Int, to ranks: Int, _ tape: inout Tape) {
    guard let parameters = gathered[section].popLast() else { return }
    var parts: [Int32] = []
    for (parameter, bytes) in zip(parameters, groups[section].gathered) {
      parts.append(tape.allocate(bytes / ranks, .parameters, Moment.allGather.rawValue))
      tape.release(parameter, Moment.allGather.rawValue)
    }
    gathered[section].append(parts)
  }

  // MARK: Backward

  func beforeBackward(_ section: Int, in tape: inout Tape) {
    inBackward = true
    unshard(section, &tape)
    wait(section, isForward: false, &tape)
    if section > 0 { ran.removeLast() }
    if let next = ran.last { unshard(next, &tape) }
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let gradient = program.leaves[leaf].redistributed(gradient, in: &tape)
    let format = settings.reduceFormat ?? program.leaves[leaf].spec.dtype
    if lastMicroBatchDiffers, !isFirst, format == program.leaves[leaf].spec.dtype {
      // Autograd adds it to what the micro-batch before left.
      tape.release(gradient, Moment.accumulation.rawValue)
    } else {
      gradients[leaf] = gradient
    }
  }

  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    if reachesInput { finish(section, &tape) } else { late.append(section) }
  }

  func endBackward(in tape: inout Tape) {
    finish(0, &tape)
    for section in late { finish(section, &tape) }
    late = []
    tape.release(reduceInput, Moment.reduceScatter.rawValue)
    reduceInput = -1
    for input in allReduceInputs { tape.release(input, Moment.reduceScatter.rawValue) }
    allReduceInputs = []
    tape.release(pending.storage, Moment.allGather.rawValue)
    pending = (-1, -1)
    inBackward = false
    if isLast || !isPipeline && !settings.defersReduction { hasReduced = true }
  }

  /// Behind the backward of a group: it is resharded, and its gradients are reduced.
  private func finish(_ section: Int, _ tape: inout Tape) {
    let group = groups[section]
    var made = group.leaves.compactMap { leaf -> Int32? in
      guard gradients[leaf] >= 0 else { return nil }
      defer { gradients[leaf] = -1 }
      return gradients[leaf]
    }
    if lastMicroBatchDiffers {
      guard let complete = accumulate(made, of: section, &tape) else {
        return isPipeline ? () : reshard(section, &tape)
      }
      made = complete
    }
    reshard(section, &tape)
    if !made.isEmpty { reduce(made, of: group, &tape) }
  }

  /// Adds gradients to those of earlier micro-batches.
  ///
  /// - Returns: What is to be reduced now, or `nil` if that waits for the last micro-batch.
  private func accumulate(_ made: [Int32], of section: Int, _ tape: inout Tape) -> [Int32]? {
    let group = groups[section]
    let moment = Moment.accumulation.rawValue
    defer { turn += 1 }
    if turn < waiting.count {
      for gradient in made { tape.release(gradient, moment) }
      guard isLast else { return nil }
      return waiting[turn]
    }
    guard !isLast else { return made }
    let format = settings.reduceFormat
    var kept: [Int32] = []
    for (gradient, elements) in zip(made, group.gradients) {
      guard let format, tape.storages[Int(gradient)].bytes != elements &* format.size else {
        kept.append(gradient)
        continue
      }
      kept.append(tape.allocate(elements &* format.size, .gradients, moment))
      tape.release(gradient, moment)
    }
    waiting.append(kept)
    waitingGroups.append(section)
    return nil
  }

  func reduce(_ made: [Int32], of group: ParameterGroup, _ tape: inout Tape) {
    let moment = Moment.reduceScatter.rawValue
    let shards = settings.shards
    let format = reduceFormat(of: group)
    let output = group.trainedElements &* format.size
    tape.release(reduceInput, moment)
    reduceInput = tape.allocate(output &* shards, .communication, moment)
    tape.release(
      tape.allocate(
        group.copyInIndex(reduceFormat: format, of: program, shards: shards), .communication,
        moment), moment)
    for gradient in made.dropLast() { tape.release(gradient, moment) }
    var reduced = tape.allocate(output, .gradients, moment, stream: Self.reducing)
    tape.communicate(.reduceScatter, output &* shards, among: shards)
    tape.communicate(.allReduce, output, among: settings.replicas)
    if settings.replicas > 1 {
      tape.retain(reduced)
      allReduceInputs.append(reduced)
    }
    if format != group.storedFormat {
      let cast = tape.allocate(
        group.reducedBytes, .gradients, moment,
        stream: settings.replicas > 1 ? Self.allReducing : Self.reducing)
      tape.release(reduced, moment)
      reduced = cast
    }
    tape.release(made.last ?? -1, moment)
    if hasReduced || settings.offloads {
      tape.release(reduced, moment)
    } else {
      tape.gradients.append(reduced)
    }
  }

  private func reduceFormat(of group: ParameterGroup) -> DType {
    if let format = settings.reduceFormat ?? settings.parameterFormat { return format }
    return group.storedFormat
  }

  func carry(from inner: Int, to outer: Int, in tape: inout Tape) {
    tape.carry(lastGather, from: inner, to: outer)
    tape.carry(pending.storage, from: inner, to: outer)
    tape.carry(reduceInput, from: inner, to: outer)
  }
}

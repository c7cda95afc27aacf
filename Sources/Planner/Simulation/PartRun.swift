/// What one micro-batch's passes through a part of the model take, in seconds.
struct PassTimes: Hashable, Sendable {
  /// The forward pass.
  var forward = 0.0
  /// The whole backward pass, recomputation included.
  var backward = 0.0
  /// What each micro-batch sends to the next part, and gets back as its gradient, in bytes.
  var sent = 0
}

/// One part of the model on a rank of a pipeline: its tape, and its passes as it recorded them.
///
/// A micro-batch differs from another only by whether its gradients are the first: so a pass is recorded once for the
/// first micro-batch and again for those behind it. Forward and backward of one micro-batch are recorded one behind the
/// other; in the step others' passes lie between them. Ranks that have the same part share its run.
final class PartRun {
  /// A micro-batch's passes.
  struct Take {
    var events: [PipelineAction.Kind: Range<Int>] = [:]
    /// The storages that it made.
    var storages: Range<Int32> = 0..<0
    var loss: Int32 = -1
    /// The gradient that its input keeps until the next step begins, or -1.
    var kept: Int32 = -1
  }

  let chunk: PipelineStage.Chunk
  let graph: LayerGraph
  let plan: TrainingPlan
  let transport: PipelineTransport
  let distribution: (any Distribution)?
  /// All weights of the part, and what this device keeps of them.
  let weights: [TrainingStep.Weight]
  let local: [TrainingStep.Weight]
  private(set) var tape: Tape
  /// The events of what is there before the step.
  private(set) var resident = 0..<0
  /// The first micro-batch's, then those of the micro-batches behind it, with whole and with split backward.
  private(set) var takes: [Take] = []
  /// By whether backward is split: the take of the first micro-batch, of the second, and of all others.
  private(set) var takesOf: [Bool: [Int]] = [:]
  /// The events behind the last micro-batch, and those of the gradients' end.
  private(set) var end = 0..<0
  private(set) var gradientsEnd = 0..<0
  /// What the first micro-batch computes and exchanges, what each one behind it does, and what comes once at the end.
  private(set) var firstWork = Work()
  private(set) var work = Work()
  private(set) var workOnce = Work()
  private(set) var times = PassTimes()
  /// Bytes of a loss.
  private(set) var lossBytes = 0
  /// Whether the loop's name for the output holds it until there is another.
  private let namesOutput: Bool
  private var lastOutput: Int32 = -1
  private var lastSent: Int32 = -1
  private var lastReceived: Int32 = -1
  /// What came in for the micro-batch that runs, where it is copied again for the forward pass.
  private var ownInput: Int32 = -1
  /// What the graph behind the last output holds where the loop keeps it.
  private var lastGraph: [Int32] = []
  /// Bytes of the output that the loop's name holds.
  private(set) var namedBytes = 0

  /// Records a part's passes.
  ///
  /// - Parameters:
  ///   - isAlone: Whether no other micro-batch is in flight between the forward and the backward of one.
  ///   - modes: Whether backward is split, that of the first micro-batch ahead.
  init(
    _ chunk: PipelineStage.Chunk, of whole: LayerGraph, _ plan: TrainingPlan,
    _ transport: PipelineTransport, unrolls: Bool, isAlone: Bool, modes: [Bool]
  ) throws(PlanError) {
    self.chunk = chunk
    self.transport = transport
    graph = try whole.part(chunk.part)
    var plan = plan
    let (pieces, range, all) = (plan.retentionPieces, chunk.part.layers, whole.layers)
    if !plan.retainsPerStage {
      plan.retentionPieces = { _ in
        pieces(all).slice(from: range.lowerBound, layers: range.count)
      }
    }
    self.plan = plan
    let stacks = LayerRuns.all(of: graph, retention: plan.retention(graph.layers))
    let runs = stacks.reduce(0) { $1.sequence.cycles.reduce($0) { $0 + $1.runs.count } }
    guard runs <= TrainingStep.mostRuns else { throw .tooIrregular(runs) }
    distribution = try plan.distribution?(graph, plan)
    let walks = unrolls || distribution?.walksEveryLayer == true
    tape = Tape(
      graph.program, stacks: stacks, distribution: distribution, earlyStop: plan.earlyStop,
      unrolls: walks, kernels: plan.context.kernels)
    tape.endsInLayers = !chunk.part.hasHead
    tape.receivesIntoBuffers = transport.buffersEveryMicroBatch
    weights = TrainingStep.weights(of: graph)
    tape.namesReceived = transport.copiesFromBuffer
    let listed = walks ? TrainingStep.layerByLayer(weights, of: graph) : weights
    local = try distribution?.local(listed) ?? listed
    namesOutput =
      (transport.holdsLast || transport.copiesFromBuffer) && isAlone && chunk.part.hasHead
    try TrainingStep.reside(local, plan, &tape)
    for buffer in graph.buffers { tape.schedule.allocate(buffer, .other, Moment.resident.rawValue) }
    resident = 0..<tape.schedule.events.count
    for mode in modes {
      var numbers = takes.isEmpty ? [] : [0]
      for _ in takes.isEmpty ? 0..<(unrolls ? 3 : 2) : 0..<(unrolls ? 2 : 1) {
        record(split: mode)
        numbers.append(takes.count - 1)
      }
      takesOf[mode] = numbers
    }
    finish()
  }

  /// Bytes of what comes in from the part before, or 0.
  var received: Int {
    graph.program.sections[0].instructions.first { $0.code == .receive }?.bytes ?? 0
  }

  // MARK: Passes

  /// Records the passes of one more micro-batch.
  ///
  /// - Parameters:
  ///   - split: Whether the gradients of weights come in a pass of their own.
  private func record(split: Bool) {
    var take = Take()
    let first = Int32(truncatingIfNeeded: tape.storages.count)
    let inputs = forward(&take)
    let mark = tape.work.allTime.seconds
    tape.sentGradient = -1
    backward(&take, split: split)
    for input in inputs { tape.release(input, Moment.end.rawValue) }
    if split {
      let start = tape.schedule.events.count
      if chunk.part.hasEmbedding {
        // The first stage has no gradient to send: all of its backward waits.
        var whole = Take()
        backward(&whole, split: false)
      } else {
        tape.schedule.begin(.backward)
        tape.finishSplit()
        tape.dropLoss()
      }
      take.events[.weightBackward] = start..<tape.schedule.events.count
    } else if let whole = take.events[.backward] {
      take.events[.backward] = whole.lowerBound..<tape.schedule.events.count
    }
    tape.forgetGraph()
    take.storages = first..<Int32(truncatingIfNeeded: tape.storages.count)
    if takes.isEmpty {
      times.backward = tape.work.allTime.seconds - mark
      firstWork = tape.work
      tape.work = Work()
    }
    takes.append(take)
    tape.accumulates = true
  }

  private func forward(_ take: inout Take) -> [Int32] {
    let start = tape.schedule.events.count
    let before = tape.work.time.seconds
    distribution?.begin(isLast: false)
    tape.schedule.begin(.forward)
    // Labels are not copied once they were loaded into their buffer.
    let inputs =
      transport.loadsWholeBatch || transport.copiesFromBuffer && !chunk.part.hasEmbedding
      ? [] : bytesOfInputs.map { tape.allocate($0, .other, Moment.batch.rawValue) }
    if transport.copiesFromBuffer, received > 0 {
      ownInput = tape.allocate(received, .communication, Moment.received.rawValue)
    }
    distribution?.beforeForward(0, in: &tape)
    tape.run(section: 0)
    tape.release(tape.received, Moment.end.rawValue)
    tape.received = -1
    distribution?.afterForward(0, in: &tape)
    for copy in tape.cached { tape.release(copy, Moment.end.rawValue) }
    tape.cached.removeAll(keepingCapacity: true)
    let result = tape.registers[Int(graph.program.loss)].storage
    if chunk.part.hasHead {
      // The schedule lists the losses until the step ends.
      take.loss = result
      lossBytes = tape.lossBytes
      tape.retain(result)
      tape.holdOutput()
      if namesOutput, graph.program.heldOutput >= 0, let logits = tape.output.first {
        tape.retain(logits)
        namedBytes = tape.storages[Int(logits)].bytes
        for old in [lastOutput] + lastGraph { drop(old, behind: logits) }
        lastOutput = logits
        lastGraph = []
      }
    } else {
      times.sent = result >= 0 ? tape.storages[Int(result)].bytes : received
      if !transport.keepsOutputs || chunk.sendsLocally { tape.letGo(graph.program.loss) }
    }
    if takes.isEmpty { times.forward = tape.work.time.seconds - before }
    take.events[.forward] = start..<tape.schedule.events.count
    return inputs
  }

  /// The loop's name for the logits is bound again as the model returns, ahead of the loss.
  private func drop(_ old: Int32, behind new: Int32) {
    let count = tape.schedule.events.count
    tape.release(old, Moment.end.rawValue)
    guard tape.schedule.events.count > count, let event = tape.schedule.events.popLast(),
      let place = tape.schedule.events.lastIndex(where: { $0.storage == new && $0.count > 0 })
    else { return }
    tape.schedule.events.insert(event, at: place + 1)
  }

  /// What a micro-batch's token ids and labels take, in bytes.
  var bytesOfInputs: [Int] {
    graph.inputs ?? [plan.context.batch &* plan.context.sequence &* 8]
  }

  private func backward(_ take: inout Take, split: Bool) {
    let start = tape.schedule.events.count
    tape.schedule.begin(.backward)
    defer {
      take.events[split ? .inputBackward : .backward] = start..<tape.schedule.events.count
    }
    if split, chunk.part.hasEmbedding { return }
    let moment = Moment.received.rawValue
    var seed: Int32
    if chunk.part.hasHead {
      seed = tape.allocate(lossBytes, .other, Moment.lossGradient.rawValue)
    } else if transport.buffersEveryMicroBatch || transport.copiesFromBuffer {
      seed = tape.stays(times.sent)
    } else {
      seed = tape.allocate(times.sent, .communication, moment)
      tape.release(lastReceived, moment)
      lastReceived = -1
    }
    if split { tape.beginSplit() }
    tape.propagate(seed)
    if transport.holdsLast, !chunk.part.hasHead, !transport.buffersEveryMicroBatch {
      lastReceived = seed
    } else {
      tape.release(seed, Moment.end.rawValue)
    }
    if split { tape.endFirstPass() }
    tape.dropOutput()
    if !split || chunk.part.hasHead { tape.dropLoss() }
    if split, transport.buffersEveryMicroBatch, !chunk.receivesLocally {
      take.kept = tape.sentGradient
      tape.sentGradient = -1
    }
    send()
  }

  /// The gradient of what came in goes to the part before.
  private func send() {
    guard !chunk.part.hasEmbedding else { return }
    if transport.holdsLast {
      tape.release(lastSent, Moment.sentGradient.rawValue)
      lastSent = tape.sentGradient
    } else if namesOutput {
      lastGraph = [ownInput, tape.sentGradient]
      ownInput = -1
    } else {
      tape.release(ownInput, Moment.sentGradient.rawValue)
      ownInput = -1
      // Handed over on the rank itself, it takes the place of a buffer of the same size.
      tape.release(tape.sentGradient, Moment.sentGradient.rawValue)
    }
    tape.sentGradient = -1
  }

  // MARK: The end of the step

  /// The loop's names die, what waits for all micro-batches is exchanged, and the gradients die.
  private func finish() {
    work = tape.work
    work.divide(by: takes.count - 1)
    tape.work = Work()
    let start = tape.schedule.events.count
    let names = [lastOutput, lastSent, lastReceived] + lastGraph
    if !transport.copiesFromBuffer {
      for storage in names { tape.release(storage, Moment.end.rawValue) }
    }
    distribution?.endMicroBatches(in: &tape)
    workOnce = tape.work
    let middle = tape.schedule.events.count
    if transport.copiesFromBuffer {
      for storage in names { tape.release(storage, Moment.end.rawValue) }
    }
    for gradient in tape.gradients { tape.release(gradient, Moment.end.rawValue) }
    (end, gradientsEnd) = (start..<middle, middle..<tape.schedule.events.count)
  }
}

extension Work {
  /// The work of one of `count` equal micro-batches.
  fileprivate mutating func divide(by count: Int) {
    flops /= Int128(max(1, count))
    recomputed /= Int128(max(1, count))
    time = time * (1 / Double(max(1, count)))
    recomputedTime = recomputedTime * (1 / Double(max(1, count)))
    traffic.scale(1 / Double(max(1, count)))
  }
}

/// The buffers of Megatron's data parallelism, and its optimizer's states.
final class MegatronStep: Distribution {
  private let settings: MegatronDataParallel
  private let graph: LayerGraph
  private let options: MegatronOptions
  /// Devices that share the optimizer: data parallelism times context parallelism.
  private let sharers: Int
  private var buffer = 0
  private var isLast = true

  var lastMicroBatchDiffers: Bool { false }
  var clips: Bool { true }

  init(_ settings: MegatronDataParallel, _ graph: LayerGraph, _ plan: TrainingPlan) {
    self.settings = settings
    self.graph = graph
    options = plan.context.megatron
    sharers = plan.dataParallel / settings.instances &* plan.mesh.context
  }

  func begin(isLast: Bool) { self.isLast = isLast }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    let present = weights.filter { $0.count > 0 }
    buffer = try elements(present)
    if settings.sharesOptimizer {
      let size = present.first?.spec.dtype.size ?? 2
      tape.schedule.allocate(try checkedProduct(buffer, size), .parameters, moment)
    } else {
      for weight in present {
        tape.schedule.allocate(weight.spec.bytes, count: weight.count, .parameters, moment)
      }
    }
    tape.schedule.allocate(try checkedProduct(buffer, 4), .gradients, Moment.bucket.rawValue)
    for bytes in dummies(present) { tape.schedule.allocate(bytes, .gradients, moment) }
    // Main weights, then both states of each.
    for times in [1, 2] {
      for weight in present {
        let all = try checkedProduct(weight.spec.elements, weight.count)
        guard settings.sharesOptimizer, sharers > 1 else {
          let bytes = try checkedProduct(weight.spec.elements, 4)
          tape.schedule.allocate(bytes, count: times * weight.count, .optimizerState, moment)
          continue
        }
        // A device owns a range of the buffer: whole tensors, and a piece of one.
        let share = all / sharers + (all % sharers == 0 ? 0 : 1)
        let (whole, rest) = share.quotientAndRemainder(dividingBy: max(1, weight.spec.elements))
        if whole > 0 {
          let bytes = try checkedProduct(weight.spec.elements, 4)
          tape.schedule.allocate(bytes, count: times * whole, .optimizerState, moment)
        }
        if rest > 0 {
          let bytes = try checkedProduct(rest, 4)
          tape.schedule.allocate(bytes, count: times, .optimizerState, moment)
        }
      }
    }
  }

  /// Elements of the buffer: with a distributed optimizer each weight begins at a multiple of 64, each bucket ends at a
  /// multiple of the devices and of 128, and a weight that embedding and head share has a bucket of its own.
  private func elements(_ weights: [TrainingStep.Weight]) throws(PlanError) -> Int {
    var total = 0
    guard settings.sharesOptimizer else {
      for weight in weights {
        total = try sum(total, try checkedProduct(weight.spec.elements, weight.count))
      }
      return total
    }
    let unit = try checkedProduct(sharers, 128 / Self.commonDivisor(sharers, 128))
    let limit =
      settings.overlapsReduction
      ? settings.bucketSize ?? max(40_000_000, 1_000_000 &* sharers) : Int.max
    var start = 0
    func close() throws(PlanError) {
      total = try sum(total, (unit - total % unit) % unit)
      start = total
    }
    for (weight, count) in Self.backwards(weights) {
      for _ in 0..<count {
        total = try sum(total, (64 - total % 64) % 64)
        let leaf = graph.program.leaves[weight.leaf]
        let isAlone = leaf.isTable && leaf.isMultiplied
        if isAlone, total > start { try close() }
        total = try sum(total, weight.spec.elements)
        if isAlone || total - start >= limit { try close() }
      }
    }
    try close()
    return total
  }

  /// Weights from the last to the first; those of one kind of layer one kind after the other.
  private static func backwards(_ weights: [TrainingStep.Weight]) -> [(TrainingStep.Weight, Int)] {
    weights.reversed().map { ($0, $0.count) }
  }

  private static func commonDivisor(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return max(1, x)
  }

  private func sum(_ a: Int, _ b: Int) throws(PlanError) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    guard !overflow else { throw .overflow("elements", "the sum of all weights") }
    return sum
  }

  /// One 16-bit tensor of each shape that stands for gradients which products added to the buffer themselves.
  ///
  /// Source: `get_dummy_wgrad` in `transformer_engine/pytorch/module/base.py`, Transformer Engine 2.
  private func dummies(_ weights: [TrainingStep.Weight]) -> [Int] {
    guard options.fusesGradientAccumulation else { return [] }
    var shapes: [TensorSpec] = []
    for weight in weights where graph.program.leaves[weight.leaf].isMultiplied {
      if !shapes.contains(weight.spec) { shapes.append(weight.spec) }
    }
    return shapes.map(\.bytes)
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    tape.release(gradient, Moment.bucket.rawValue)
  }

  func endBackward(in tape: inout Tape) {
    guard isLast else { return }
    if settings.sharesOptimizer {
      tape.communicate(.reduceScatter, 4 &* buffer, among: sharers)
      tape.communicate(.allGather, 2 &* buffer, among: sharers)
    } else {
      tape.communicate(.allReduce, 4 &* buffer, among: sharers)
    }
  }
}

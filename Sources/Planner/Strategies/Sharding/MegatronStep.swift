/// The buffers of Megatron's data parallelism, and its optimizer's states.
final class MegatronStep: Distribution {
  private let settings: MegatronDataParallel
  private let graph: LayerGraph
  private let options: MegatronOptions
  /// Devices that share the optimizer: data parallelism times context parallelism.
  private let sharers: Int
  /// The same for experts, whose copies lie on fewer devices.
  private let expertSharers: Int
  private var buffer = 0
  private var expertBuffer = 0
  private var isLast = true

  var lastMicroBatchDiffers: Bool { false }
  var clips: Bool { true }

  init(_ settings: MegatronDataParallel, _ graph: LayerGraph, _ plan: TrainingPlan) {
    self.settings = settings
    self.graph = graph
    options = plan.context.megatron
    let mesh = plan.mesh
    sharers = plan.dataParallel / settings.instances &* mesh.context
    let cut = (options.expertTensorDegree ?? mesh.tensor) &* mesh.expert
    expertSharers = max(1, sharers &* mesh.tensor / max(1, cut))
  }

  func begin(isLast: Bool) { self.isLast = isLast }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let present = weights.filter { $0.count > 0 }
    let dense = present.filter { !Self.isExpert($0) }
    let experts = present.filter(Self.isExpert)
    buffer = try hold(dense, among: sharers, in: &tape)
    expertBuffer = try hold(experts, among: expertSharers, in: &tape)
    for bytes in dummies(present) {
      tape.schedule.allocate(bytes, .gradients, Moment.resident.rawValue)
    }
    for times in [1, 2] {
      try states(dense, times, among: sharers, in: &tape)
      try states(experts, times, among: expertSharers, in: &tape)
    }
  }

  private static func isExpert(_ weight: TrainingStep.Weight) -> Bool { weight.active != nil }

  /// Weights and their fp32 gradients.
  private func hold(_ weights: [TrainingStep.Weight], among sharers: Int, in tape: inout Tape)
    throws(PlanError) -> Int
  {
    guard let size = weights.first?.spec.dtype.size else { return 0 }
    let moment = Moment.resident.rawValue
    let buffer = try elements(weights, among: sharers)
    if settings.sharesOptimizer {
      tape.schedule.allocate(try checkedProduct(buffer, size), .parameters, moment)
    } else {
      for weight in weights {
        tape.schedule.allocate(weight.spec.bytes, count: weight.count, .parameters, moment)
      }
    }
    tape.schedule.allocate(try checkedProduct(buffer, 4), .gradients, Moment.bucket.rawValue)
    return buffer
  }

  /// `times` fp32 tensors like each weight: main weights, or both moments.
  ///
  /// With a distributed optimizer a device owns a range of the buffer: whole tensors, and a piece of one.
  private func states(
    _ weights: [TrainingStep.Weight], _ times: Int, among sharers: Int, in tape: inout Tape
  ) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for weight in weights {
      let all = try checkedProduct(weight.spec.elements, weight.count)
      let sharers = settings.sharesOptimizer ? sharers : 1
      let share = all / sharers + (all % sharers == 0 ? 0 : 1)
      let (whole, rest) = share.quotientAndRemainder(dividingBy: max(1, weight.spec.elements))
      if whole > 0 {
        let bytes = try checkedProduct(weight.spec.elements, 4)
        tape.schedule.allocate(bytes, count: times * whole, .optimizerState, moment)
      }
      if rest > 0 {
        tape.schedule.allocate(
          try checkedProduct(rest, 4), count: times, .optimizerState, moment)
      }
    }
  }

  /// Elements of the buffer: with a distributed optimizer each weight begins at a multiple of 64, each bucket ends at a
  /// multiple of the devices and of 128, and a weight that embedding and head share has a bucket of its own.
  private func elements(_ weights: [TrainingStep.Weight], among sharers: Int) throws(PlanError)
    -> Int
  {
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
  /// Legacy models have none: `megatron/core/tensor_parallel/layers.py` returned no gradient in 2023.
  ///
  /// Source: `get_dummy_wgrad` in `transformer_engine/pytorch/module/base.py`, Transformer Engine 2.
  private func dummies(_ weights: [TrainingStep.Weight]) -> [Int] {
    guard options.fusesGradientAccumulation, !options.usesLegacyModels else { return [] }
    var shapes: [TensorSpec] = []
    for weight in weights {
      let leaf = graph.program.leaves[weight.leaf]
      guard leaf.isMultiplied else { continue }
      // Matrices of experts lie side by side in one weight.
      let shape = weight.spec.withRows(weight.spec.rows / max(1, leaf.matrices))
      if !shapes.contains(shape) { shapes.append(shape) }
    }
    return shapes.map(\.bytes)
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    tape.release(gradient, Moment.bucket.rawValue)
  }

  func endBackward(in tape: inout Tape) {
    guard isLast else { return }
    for (buffer, ranks) in [(buffer, sharers), (expertBuffer, expertSharers)] {
      if settings.sharesOptimizer {
        tape.communicate(.reduceScatter, 4 &* buffer, among: ranks)
        tape.communicate(.allGather, 2 &* buffer, among: ranks)
      } else {
        tape.communicate(.allReduce, 4 &* buffer, among: ranks)
      }
    }
  }
}

/// ZeRO stage 1 in bf16 that adds gradients up in fp32: DeepSpeed's BF16_Optimizer.
///
/// All gradients have a place in one flat fp32 tensor that is always there. They are added to it behind backward, and
/// stay as autograd made them until the weights are updated; with `immediate_grad_update` each is added and freed as it
/// comes. What is reduced is a copy of the flat tensor in bf16.
///
/// Source: `BF16_Optimizer` in `deepspeed/runtime/bf16_optimizer.py`, `allreduce_bucket` and `_take_model_step` in
/// `deepspeed/runtime/engine.py`, DeepSpeed 0.19.8.
final class ZeroReplicatedStep: Distribution {
  private let settings: Zero
  private let microBatches: Int
  private let size: Int
  private let optimizer: ZeroOptimizer?
  private let kernels: KernelTraits
  private var parameters: ZeroParameters
  private var flat = ZeroFlatGroup()

  private var isLast = true
  /// Gradients as autograd made them, by parameter.
  private var gradients: [Int32] = []
  /// The loss as the engine reports it.
  private var scalars: Int32 = -1

  var walksEveryLayer: Bool { true }
  var lastMicroBatchDiffers: Bool { microBatches > 1 }

  init(_ settings: Zero, _ program: Program, _ plan: TrainingPlan) {
    self.settings = settings
    microBatches = plan.microBatches
    size = plan.context.dtype.size
    optimizer = plan.optimizer as? ZeroOptimizer
    kernels = plan.context.kernels
    parameters = ZeroParameters(program)
  }

  /// The rank's share in fp32, which the optimizer updates.
  func local(_ weights: [TrainingStep.Weight]) throws(PlanError) -> [TrainingStep.Weight] {
    parameters.fill(weights)
    flat = try ZeroFlatGroup(parameters.all, settings)
    gradients = Array(repeating: -1, count: parameters.all.count)
    return [try .flat(flat.share, .fp32)]
  }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for parameter in parameters.all where !parameter.trainable {
      for bytes in parameter.tensors { tape.schedule.allocate(bytes, .parameters, moment) }
    }
    tape.schedule.allocate(try checkedProduct(flat.aligned, size), .parameters, moment)
    tape.schedule.allocate(flat.share * 4, .optimizerState, moment)
    tape.schedule.allocate(try checkedProduct(flat.aligned, 4), .gradients, moment)
    // The norm of the last step.
    tape.schedule.allocate(4, .other, moment)
  }

  func begin(isLast: Bool) {
    self.isLast = isLast
    parameters.begin()
  }

  func beforeForward(_ section: Int, in tape: inout Tape) { parameters.enter(section) }

  func beforeBackward(_ section: Int, in tape: inout Tape) {
    guard section == 0 else { return }
    scalars = microBatches > 1 ? -1 : tape.allocate(4, .other, Moment.lossGradient.rawValue)
  }

  func afterBackward(_ section: Int, reachesInput: Bool, in tape: inout Tape) {
    parameters.leave(section)
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    let parameter = parameters.index(of: leaf)
    if settings.updatesImmediately {
      add(parameter, &tape)
      tape.release(gradient, Moment.accumulation.rawValue)
    } else if gradients[parameter] >= 0 {
      tape.release(gradient, Moment.accumulation.rawValue)
    } else {
      gradients[parameter] = gradient
    }
  }

  /// A gradient is cast to fp32 and added to the flat tensor.
  private func add(_ parameter: Int, _ tape: inout Tape) {
    let moment = Moment.accumulation.rawValue
    tape.release(tape.allocate(parameters.all[parameter].elements * 4, .gradients, moment), moment)
  }

  func endBackward(in tape: inout Tape) {
    if !settings.updatesImmediately { for parameter in flat.order { add(parameter, &tape) } }
    if isLast {
      let moment = Moment.reduceScatter.rawValue
      let bytes = flat.aligned * size
      tape.release(tape.allocate(bytes, .communication, moment), moment)
      // The weights come back once the optimizer has stepped: nothing runs beside either.
      tape.communicate(.allReduce, bytes, among: settings.shards, waits: true)
      tape.communicate(.allGather, bytes, among: settings.shards, waits: true)
    }
    tape.release(scalars, Moment.end.rawValue)
  }

  /// Norms of all gradients in fp32, all of them stacked and squared; then the share is updated where it lies.
  func beforeOptimizer(in schedule: inout Schedule) throws(PlanError) {
    let moment = Moment.clipping.rawValue
    let norms = flat.order.count
    let first = 4 + TotalNorm.workspace(elements: flat.largest, on: kernels)
    schedule.allocate(first, .other, moment)
    schedule.free(first, .other, moment)
    schedule.allocate(4, count: norms, .other, moment)
    schedule.allocate(norms * 8, .other, moment)
    schedule.free(norms * 8, .other, moment)
    schedule.free(4, count: norms, .other, moment)
    try optimizer?.update(try .flat(flat.share, .fp32), kernels, in: &schedule)
  }

  /// Gradients are let go of once the engine has stepped.
  func afterOptimizer(in schedule: inout Schedule) {
    for parameter in gradients.indices where gradients[parameter] >= 0 {
      schedule.free(
        parameters.all[parameter].elements * size, .gradients, Moment.end.rawValue,
        storage: gradients[parameter])
    }
  }
}

/// An optimizer: what it keeps for each parameter, and what its step allocates.
///
/// A new one is a file in this folder and a line in ``Optimizers/all``.
public protocol Optimizer: Sendable {
  /// The `name` in a scenario.
  static var name: String { get }
  /// One sentence for `plan show optimizers`.
  static var summary: String { get }
  /// What it reads of its settings, ``Optimizers/keys`` excepted.
  static var keys: [SettingKey] { get }
  /// Reads its settings, `name` excepted; whoever calls it calls ``Settings/finish()`` afterwards.
  init(_ settings: inout Settings) throws(PlanError)
  /// The optimizer with its settings in a few words: `AdamW (foreach)`.
  var label: String { get }
  /// How it runs over its parameters; clipping runs over them likewise.
  var implementation: OptimizerImplementation { get }
  /// What it keeps on the device for a parameter between steps.
  func states(of parameter: TensorSpec) throws(PlanError) -> [TensorSpec]
  /// The same for an optimizer to which it matters what the parameter is called.
  func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec]
  /// Throws when it cannot train these weights together.
  func check(_ weights: [TrainedWeight]) throws(PlanError)
  /// What it keeps on the device once, however many parameters there are.
  func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec]
  /// Whether each weight is updated in backward, as soon as its gradient is there, and the gradient freed.
  var stepsInBackward: Bool { get }
  /// Whether the gradient of a parameter is freed in backward, as soon as it was used.
  func freesGradient(of parameter: TensorSpec) -> Bool
  /// Whether another stream still reads a gradient that was freed, so that its memory waits for the next allocation.
  var freesLate: Bool { get }
  /// Whether its step leaves weights in other memory than before.
  var movesWeights: Bool { get }
  /// What it keeps on the host for a parameter.
  func hostTensors(of parameter: TensorSpec) throws(PlanError) -> [HostTensor]
  /// What it moves between device and host for a parameter.
  func transfers(of parameter: TensorSpec) -> OptimizerTransfers
  /// Bytes that updating a weight reads and writes on the device.
  func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int
  /// Floating-point operations of the matrix products that updating a weight takes.
  func flops(for parameter: TensorSpec) -> Double
  /// What the planner takes for granted about it.
  var assumptions: [Assumption] { get }
  /// What its step allocates and frees, given every trained weight in the order of `model.parameters()`.
  func step(_ step: inout OptimizerStep) throws(PlanError)
}

extension Optimizer {
  /// Nothing.
  public static var keys: [SettingKey] { [] }
  /// As of any parameter of its size.
  public func states(of weight: TrainedWeight) throws(PlanError) -> [TensorSpec] {
    try states(of: weight.spec)
  }
  /// It can.
  public func check(_ weights: [TrainedWeight]) throws(PlanError) {}
  /// No: all weights are updated after backward.
  public var stepsInBackward: Bool { false }
  /// No.
  public var freesLate: Bool { false }
  /// No.
  public var movesWeights: Bool { false }
  /// With every step in backward.
  public func freesGradient(of parameter: TensorSpec) -> Bool { stepsInBackward }
  /// Nothing.
  public func hostTensors(of parameter: TensorSpec) throws(PlanError) -> [HostTensor] { [] }
  /// Nothing.
  public func transfers(of parameter: TensorSpec) -> OptimizerTransfers { OptimizerTransfers() }
  /// Nothing.
  public func sharedStates(of parameters: [TensorSpec]) throws(PlanError) -> [TensorSpec] { [] }
  /// Nothing.
  public var assumptions: [Assumption] { [] }
  /// As one kernel does it: the gradient is read, the weight and its states are read and written.
  public func bytesMoved(for weight: TrainedWeight) throws(PlanError) -> Int {
    var bytes = 3 &* weight.spec.bytes
    for state in try states(of: weight) { bytes &+= 2 &* state.bytes }
    return bytes
  }
  /// None.
  public func flops(for parameter: TensorSpec) -> Double { 0 }
}

/// A weight as an optimizer that treats some of them differently sees it.
public struct TrainedWeight: Sendable {
  /// Its name within its layer: `self_attn.q_proj.weight`.
  public let name: StaticString
  /// Its size.
  public let spec: TensorSpec
  /// Whether it is the weight of an `nn.Linear`.
  public let isLinear: Bool
}

/// How a PyTorch optimizer runs over its parameters.
public enum OptimizerImplementation: String, Hashable, Sendable, CaseIterable {
  /// All tensors of a group in one kernel launch per operation; PyTorch's default on CUDA.
  case foreach
  /// One tensor after the other.
  case forLoop = "for-loop"
  /// One kernel for the whole update.
  case fused
}

/// The list of optimizers.
public enum Optimizers {
  /// Every optimizer, one line each.
  public static let all: [any Optimizer.Type] = [
    AdamW.self,
    Adam.self,
    SGD.self,
    Adafactor.self,
    AdamW8bit.self,
    PagedAdamW.self,
    PagedAdamW8bit.self,
    Lion.self,
    Lion8bit.self,
    PagedLion8bit.self,
    Muon.self,
    LOMO.self,
    GaLoreAdamW.self,
    GaLoreAdamW8bit.self,
    ApolloAdamW.self,
  ]

  /// What a scenario's `optimizer` may have: its name, what the optimizer reads, and when it steps.
  public static func keys(of optimizer: any Optimizer.Type) -> [SettingKey] {
    let name = SettingKey(
      "name", .choice(all.map { $0.name }), default: .string(AdamW.name),
      "which one; \"plan show NAME\" has its own keys")
    let inBackward = SettingKey(
      "in_backward", .truth, default: false,
      "it steps as soon as a gradient is there, and frees it")
    return [name] + optimizer.keys + [inBackward]
  }

  /// The optimizer of this name, or `nil`.
  public static func named(_ name: String) -> (any Optimizer.Type)? {
    for optimizer in all where optimizer.name == name { return optimizer }
    return nil
  }
}

/// The step of an optimizer while it is written: the trained weights, and the events so far.
public struct OptimizerStep: Sendable {
  /// Every trained weight, in the order of `model.parameters()`; layers repeat their weights `count` times.
  private(set) var weights: [TrainingStep.Weight]
  /// The step's events.
  var schedule: Schedule

  /// The part of the step that the events belong to.
  var moment = Moment.optimizerStep

  /// Storages of gradients that the step itself frees.
  private(set) var freedGradients: Set<Int32> = []
  /// The kernels of the device.
  var kernels = KernelTraits()
  /// What the temporaries count as.
  var role = Role.optimizerState

  /// One temporary like each weight, all alive together: what a foreach operation returns.
  mutating func temporaryOfEach(_ times: Int = 1) {
    for weight in weights {
      schedule.allocate(
        weight.spec.bytes, count: times * weight.count, role, moment.rawValue)
    }
    for weight in weights {
      schedule.free(
        weight.spec.bytes, count: times * weight.count, role, moment.rawValue)
    }
  }

  /// Calls `body` for the weights one after the other, layers as a repetition of their weights.
  ///
  /// `body` gets the weight and the one before it; what it carries from one to the next it frees there.
  mutating func forEach(
    _ body: (inout OptimizerStep, TrainingStep.Weight, TrainingStep.Weight?) -> Void
  ) {
    var previous: TrainingStep.Weight?
    var index = 0
    while index < weights.count {
      let section = weights[index].section
      var end = index + 1
      while end < weights.count, section > 0, weights[end].section == section { end += 1 }
      let group = weights[index..<end]
      for weight in group {
        body(&self, weight, previous)
        previous = weight
      }
      if let count = group.first?.count, count > 1 {
        schedule.beginRepeat(count - 1)
        for weight in group {
          body(&self, weight, previous)
          previous = weight
        }
        schedule.endRepeat()
      }
      index = end
    }
  }

  /// As ``forEach(_:)``, for a body that throws and needs no weight before.
  mutating func forEachThrowing(
    _ body: (inout OptimizerStep, TrainingStep.Weight) throws(PlanError) -> Void
  ) throws(PlanError) {
    var failure: PlanError?
    forEach { step, weight, _ in
      do throws(PlanError) { try body(&step, weight) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Leaves only some of the weights.
  mutating func keep(_ isKept: (TrainingStep.Weight) -> Bool) { weights = weights.filter(isKept) }

  /// Allocates one temporary, or `count` equal ones.
  mutating func allocate(_ bytes: Int, count: Int = 1) {
    schedule.allocate(bytes, count: count, role, moment.rawValue)
  }

  /// Frees one temporary, or `count` equal ones.
  mutating func free(_ bytes: Int, count: Int = 1) {
    schedule.free(bytes, count: count, role, moment.rawValue)
  }

  /// Frees the temporary of so many bytes that was allocated last.
  mutating func freeNewest(_ bytes: Int) {
    schedule.free(bytes, role, moment.rawValue, storage: Event.newest)
  }

  /// Frees a weight's gradient ahead of the step's end; by its storage where each layer runs on its own, else by its size.
  mutating func freeGradient(of weight: TrainingStep.Weight) {
    schedule.free(
      weight.spec.bytes, .gradients, moment.rawValue, storage: weight.gradient)
    if weight.gradient >= 0 { freedGradients.insert(weight.gradient) }
  }

  /// A weight is copied; ``leaveMemory(of:)`` frees what it was in.
  mutating func moveMemory(of weight: TrainingStep.Weight) {
    schedule.allocate(
      weight.spec.bytes, .parameters, moment.rawValue,
      storage: weight.storage >= 0 ? weight.storage + 1 : Event.unnamed)
  }

  /// A weight that was copied leaves its memory; the copy is the weight.
  mutating func leaveMemory(of weight: TrainingStep.Weight) {
    schedule.free(
      weight.spec.bytes, .parameters, moment.rawValue,
      storage: weight.storage >= 0 ? weight.storage : Event.newest)
  }

  /// Allocates a temporary and frees it.
  mutating func passing(_ bytes: Int) {
    allocate(bytes)
    free(bytes)
  }

  /// A name of the loop is bound to a new temporary, and lets go of the one before.
  mutating func rebind(_ bound: inout Int, to bytes: Int) {
    allocate(bytes)
    free(bound)
    bound = bytes
  }
}

/// A technique that changes where memory goes: precision, checkpointing, LoRA, sharding.
///
/// How to write one: a file in this folder with a type that reads its settings, names its ``stage`` and the
/// ``decisions`` it makes, and makes them in ``decide(_:)``; and a line in ``Strategies/all``. Strategies run in
/// the order of their stages, whatever order the user wrote them in; two that make the same decision are refused.
public protocol Strategy: Sendable {
  /// The key under `strategies` in a scenario.
  static var name: String { get }
  /// One sentence for `plan show strategies`.
  static var summary: String { get }
  /// When it runs.
  static var stage: Stage { get }
  /// What it decides alone.
  static var decisions: Set<Decision> { get }
  /// What it reads of its settings, in the order in which `plan show` prints it.
  static var keys: [SettingKey] { get }
  /// Reads its settings, opened with ``keys``; whoever calls it calls ``Settings/finish()`` afterwards.
  init(_ settings: inout Settings) throws(PlanError)
  /// The technique with its setting in a few words: `LoRA rank 16 on q_proj, v_proj`.
  var label: String { get }
  /// Writes its decisions into the plan, once, before the graph is made.
  func decide(_ plan: inout TrainingPlan) throws(PlanError)
}

/// A strategy that spreads a run over devices and can spread it over more or fewer.
public protocol SpreadingStrategy: Strategy {
  /// How many copies of the model, or shares of one, it makes: data-parallel devices.
  var devices: Int { get }
  /// Whether more devices need less memory each.
  var sharesStates: Bool { get }
  /// The devices that it adds or takes away together.
  var unit: Int { get }
  /// The same over so many devices, a multiple of ``unit``.
  func over(_ devices: Int) -> any SpreadingStrategy
}

/// When a strategy runs.
public enum Stage: Int, Hashable, Sendable, Comparable, CaseIterable {
  /// Number formats.
  case precision
  /// What is trained, and how a layer is cut over devices.
  case partition
  /// What autograd keeps from forward to backward.
  case retention
  /// How states are cut over devices.
  case sharding
  /// Where things lie: device, host, disk.
  case placement

  /// Orders stages as they run.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Something exactly one strategy may decide.
public enum Decision: String, Hashable, Sendable, CaseIterable {
  /// The number formats of weights and arithmetic.
  case formats
  /// Which parameters are trained.
  case trainable
  /// How each layer's matrices are cut over devices.
  case tensorParallelism = "tensor parallelism"
  /// How what lies between the cut matrices is cut.
  case sequenceParallelism = "sequence parallelism"
  /// How the sequence is cut over devices.
  case contextParallelism = "context parallelism"
  /// How the layers are shared among stages.
  case pipelineParallelism = "pipeline parallelism"
  /// How a layer's experts are shared among devices.
  case expertParallelism = "expert parallelism"
  /// What is kept for backward.
  case retention
  /// How data-parallel devices share states and gradients.
  case dataParallelism = "data parallelism"
  /// Where saved tensors lie from forward to backward.
  case activationPlacement = "placement of activations"
  /// Where optimizer states lie, and where the update runs.
  case optimizerPlacement = "placement of the optimizer"
}

/// The list of strategies that a scenario can name under `strategies`.
public enum Strategies {
  /// Every strategy, one line each.
  public static let all: [any Strategy.Type] = [
    LoRA.self,
    TensorParallel.self,
    SequenceParallel.self,
    ContextParallel.self,
    ExpertParallel.self,
    PipelineParallel.self,
    ActivationCheckpointing.self,
    FullyShard.self,
    YaFSDP.self,
    DistributedDataParallel.self,
    Zero.self,
    MegatronDataParallel.self,
    OffloadedActivations.self,
    OffloadedOptimizer.self,
  ]

  /// The strategy of this name, or `nil`.
  public static func named(_ name: String) -> (any Strategy.Type)? {
    for strategy in all where strategy.name == name { return strategy }
    return nil
  }
}

/// A copy of the model on each device; gradients are averaged in buckets: `DistributedDataParallel`.
///
/// Source: Li et al. 2020, arXiv:2006.15704; `torch/csrc/distributed/c10d/reducer.cpp`, PyTorch 2.11.
public struct DistributedDataParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "ddp"
  /// See ``Strategy/summary``.
  public static let summary =
    "A copy of the model on each device, gradients averaged in buckets (DistributedDataParallel)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.sharding
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.dataParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey(needed: "replicas", .integer(1...1_000_000), "devices, each with a copy"),
    SettingKey("gradient_as_bucket_view", .truth, default: false, ".grad is a view of a bucket"),
    SettingKey(
      "bucket_cap_mb", .integer(1...1_000_000), otherwise: "25, and 1 for the first",
      "MiB at which a bucket is full"),
    SettingKey(
      "no_sync", .truth, default: false, "only the last micro-batch's backward reduces gradients"),
  ]

  /// Devices, each with a copy.
  public private(set) var replicas: Int
  /// Whether `.grad` is a view of a bucket (`gradient_as_bucket_view`).
  public let viewsBuckets: Bool
  /// The size at which a bucket is full, in MiB (`bucket_cap_mb`), or `nil` for 25 and a first one of 1.
  public let bucketCap: Int?
  /// Whether only the last micro-batch's backward reduces (`no_sync`).
  public let defersReduction: Bool

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    replicas = try settings.integer("replicas")
    viewsBuckets = try settings.bool("gradient_as_bucket_view")
    bucketCap = try settings.optionalInteger("bucket_cap_mb")
    defersReduction = try settings.bool("no_sync")
  }

  /// See ``Strategy/label``.
  public var label: String {
    "DDP over \(replicas) devices" + (viewsBuckets ? ", gradients as bucket views" : "")
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    guard !plan.optimizer.stepsInBackward else {
      throw PlanError(
        .conflict, "an optimizer that steps in backward would not wait for DDP's all-reduce",
        path: "optimizer", fix: "Leave \"in_backward\" out.")
    }
    plan.dataParallel = replicas
    plan.communicators += replicas > 1 ? 1 : 0
    let settings = self
    plan.distribution = { (graph, plan) throws(PlanError) in
      ReplicatedStep(settings, plan)
    }
  }
}

extension DistributedDataParallel: SpreadingStrategy {
  /// One for each copy.
  public var devices: Int { replicas }
  /// Every device holds everything.
  public var sharesStates: Bool { false }
  /// One copy more or less.
  public var unit: Int { 1 }
  /// The same with another number of copies.
  public func over(_ devices: Int) -> any SpreadingStrategy {
    var other = self
    other.replicas = devices
    return other
  }
}

/// Buckets that the gradients are copied to as they become ready.
///
/// One for all trained weights when the model is wrapped; from the second step on in the order in which gradients
/// became ready, each closed when it reaches its limit. They stay; the all-reduce runs in place.
private final class ReplicatedStep: Distribution {
  private let settings: DistributedDataParallel
  private let microBatches: Int
  /// Whether a pipeline's schedule has only its last backward reduce.
  private let isPipeline: Bool
  private var reduces = true
  private var bytes = 0

  var lastMicroBatchDiffers: Bool { settings.defersReduction && microBatches > 1 }

  init(_ settings: DistributedDataParallel, _ plan: TrainingPlan) {
    self.settings = settings
    microBatches = plan.microBatches
    isPipeline = plan.pipeline != nil
  }

  func begin(isLast: Bool) { reduces = !isPipeline && (isLast || !settings.defersReduction) }

  func reside(_ weights: [TrainingStep.Weight], in tape: inout Tape) throws(PlanError) {
    let moment = Moment.resident.rawValue
    for weight in weights where weight.count > 0 {
      for bytes in weight.tensors {
        tape.schedule.allocate(bytes, count: weight.count, .parameters, moment)
      }
      guard weight.trainable else { continue }
      tape.schedule.allocate(
        weight.spec.bytes, count: weight.count, .communication, Moment.bucket.rawValue)
      let all = try checkedProduct(weight.spec.bytes, weight.count)
      let (sum, overflow) = bytes.addingReportingOverflow(all)
      guard !overflow else { throw .overflow("bytes", "the sum of all buckets") }
      bytes = sum
    }
  }

  func receive(_ gradient: Int32, of leaf: Int, in tape: inout Tape) {
    if settings.viewsBuckets || tape.accumulates {
      tape.release(gradient, Moment.bucket.rawValue)
    } else {
      tape.gradients.append(gradient)
    }
  }

  func endBackward(in tape: inout Tape) {
    if reduces { tape.communicate(.allReduce, bytes, among: settings.replicas) }
  }

  func endMicroBatches(in tape: inout Tape) {
    if isPipeline { tape.communicate(.allReduce, bytes, among: settings.replicas) }
  }
}

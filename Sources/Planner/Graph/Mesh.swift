/// How many devices share one copy of the model: the degrees of model parallelism.
///
/// Data parallelism multiplies it: a run uses ``devices(times:)`` devices. Megatron's experts lie on devices that data,
/// context and tensor parallelism have already, so their degree adds none.
public struct Mesh: Hashable, Sendable {
  /// How devices that cut the sequence attend to each other's keys.
  public enum ContextMethod: String, Hashable, Sendable, CaseIterable {
    /// Keys and values come round from device to device, or are gathered.
    case ring
    /// Heads are cut for the attention, and the sequence around it (Ulysses).
    case allToAll = "all_to_all"
  }

  /// Devices that cut each layer's matrices (`tensor_parallel.degree`).
  public var tensor = 1
  /// Whether what lies between the cut matrices is cut along the sequence (`sequence_parallel`).
  public var cutsSequence = false
  /// Whether the loss works on logits cut along the vocabulary; `nil` for what the framework does.
  public var cutsLogits: Bool?
  /// Whether the loss works on cut logits, as torchtitan has it where the sequence is cut.
  var keepsLogitsCut: Bool { tensor > 1 && (cutsLogits ?? cutsSequence) }
  /// Devices that cut the sequence (`context_parallel.degree`).
  public var context = 1
  /// How they attend to all of it.
  public var contextMethod = ContextMethod.ring
  /// Whether each of them attends with some heads over whole sequences.
  var exchangesHeads: Bool { context > 1 && contextMethod == .allToAll }
  /// Devices that share a layer's experts (`expert_parallel.degree`).
  public var expert = 1
  /// Whether they do nothing but that, all with the same samples: transformers' `ep_plan`.
  var expertsAddDevices = false
  /// The share of a layer's tokens × choices that the busiest of them computes.
  var expertShare = 1.0
  /// Stages that share the layers (`pipeline_parallel.degree`).
  public var pipeline = 1

  /// One device.
  public init() {}

  /// Devices of one copy of the model.
  ///
  /// - Throws: ``PlanError`` where there are more than 1,000,000.
  var devices: Int { get throws(PlanError) { try devices(times: 1) } }

  /// Devices of so many copies.
  ///
  /// - Throws: ``PlanError`` where there are more than 1,000,000.
  func devices(times copies: Int) throws(PlanError) -> Int {
    var product = 1
    for degree in [tensor, context, pipeline, expertsAddDevices ? expert : 1, copies] {
      let (next, overflow) = product.multipliedReportingOverflow(by: max(1, degree))
      guard !overflow, next <= Self.most else {
        throw PlanError(
          .invalid, "the degrees multiply to more than \(Self.most) devices", path: "strategies",
          fix: "Use smaller degrees.")
      }
      product = next
    }
    return product
  }

  /// No run has more devices.
  private static let most = 1_000_000
}

/// Keeps what autograd saves in host memory from forward to backward.
///
/// As `with torch.autograd.graph.save_on_cpu(pin_memory=True):` around the forward pass does it: every tensor that an
/// operation saves is copied to the host on its own, weights included, and a tensor that two operations save is copied
/// twice. A pinned copy lies in order: of a transposed view, such as a projection's weight or the heads of attention,
/// the device makes a copy in order first. What nothing else holds is freed. In backward each node copies what it saved
/// back to the device, where it dies as soon as the node's operator has returned.
///
/// Of a checkpointed layer only what it is called with by position is saved so, its input and GPT-2's mask; what its
/// recomputation saves stays on the device.
///
/// With `"method": "streams"` it is TRL's `OffloadActivations` (`activation_offloading` of its trainers): copies run on a
/// stream of their own, weights, small tensors and what the head saves stay on the device, and a stash holds the last
/// tensors until their copies are done.
///
/// Source: `save_on_cpu` in `torch/autograd/graph.py`, `_NoopSaveInputs` in `torch/utils/checkpoint.py`, PyTorch 2.11;
/// `trl/models/activation_offloading.py`, TRL 1.16.
public struct OffloadedActivations: Strategy {
  /// See ``Strategy/name``.
  public static let name = "offload_activations"
  /// See ``Strategy/summary``.
  public static let summary =
    "Keeps saved tensors in host memory from forward to backward (save_on_cpu, or TRL's streams)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.placement
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.activationPlacement]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] = [
    SettingKey("pin_memory", .truth, default: true, "copies lie in pinned memory of the host"),
    SettingKey(
      "method", .choice(of: Method.self), default: "save_on_cpu",
      "PyTorch's, each copy waited for, or TRL's by streams"),
    SettingKey(
      "min_offload_size", .integer(0...1_000_000_000_000), default: 1024,
      "bytes from which on a tensor leaves", with: .key("method", "streams")),
    SettingKey(
      "max_fwd_stash_size", .integer(1...100_000), default: 5,
      "how many of the last saved tensors stay meanwhile", with: .key("method", "streams")),
  ]

  /// Whether the copies lie in pinned memory (`pin_memory`).
  public let pinsMemory: Bool

  /// How a stream copies them, or `nil` where every copy is waited for.
  let streams: StreamedOffload?

  /// Copies in pinned memory, or in any.
  public init(pinsMemory: Bool = true) { (self.pinsMemory, streams) = (pinsMemory, nil) }

  private enum Method: String, CaseIterable { case save_on_cpu, streams }

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    pinsMemory = try settings.bool("pin_memory")
    let method: Method = try settings.choice("method")
    guard method == .streams else {
      streams = nil
      return
    }
    var streams = StreamedOffload()
    streams.minimum = try settings.integer("min_offload_size")
    streams.stash = try settings.integer("max_fwd_stash_size")
    self.streams = streams
  }

  /// See ``Strategy/label``.
  public var label: String {
    streams == nil ? "saved tensors on the host" : "saved tensors on the host, by streams"
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    guard plan.distribution == nil else {
      throw PlanError(
        .conflict,
        "offload_activations is planned for one device, not for states that several share",
        path: "strategies.offload_activations", fix: "Use \"cpu_offload\" of fsdp, or one device.")
    }
    plan.placement.activations = pinsMemory ? .pinned : .pageable
    plan.placement.streams = streams
    if let streams {
      plan.assumptions.append(streams.assumption)
      return
    }
    plan.assumptions.append(
      Assumption(
        "offloaded_activations",
        "save_on_cpu around the whole forward: every saved tensor is copied on its own, weights too, and back when "
          + "its node runs",
        source: "torch/autograd/graph.py, PyTorch 2.11"))
  }
}

extension StreamedOffload {
  /// What the reader should know.
  fileprivate var assumption: Assumption {
    Assumption(
      "offloaded_activations",
      "TRL's OffloadActivations around forward and backward: tensors of \(minimum) bytes and more leave by a stream, the "
        + "last \(stash) saved stay meanwhile; weights and what lm_head saves stay",
      source: "trl/models/activation_offloading.py, TRL 1.16")
  }
}

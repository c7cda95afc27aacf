/// Layers that are partitioned as `torch.compile` does it, each on its own, and run operator by operator.
///
/// What a layer keeps is what PyTorch's partitioner keeps for `activation_memory_budget`, and backward computes the rest
/// again where it is read. That is a step of the `aot_eager` backend; inductor's fused kernels are not modelled.
///
/// Source: `min_cut_rematerialization_partition` in PyTorch 2.11's `torch/_functorch/partitioners.py`.
enum MinCutPolicy {
  /// Reads a memory budget from 0 to 1.
  static func budget(_ key: String, in settings: inout Settings) throws(PlanError) -> Double {
    guard let budget = try settings.optionalNumber(key, in: 0...1) else {
      throw PlanError(
        .invalid, "\"\(key)\" is missing", path: settings.place(key),
        fix: "Add the share of the default's bytes to keep, from 0 to 1: 0.5.")
    }
    return budget
  }

  /// What such a plan takes for granted.
  static let assumption = Assumption(
    "min_cut",
    "each layer compiled on its own and run operator by operator (backend aot_eager): fused kernels keep the same "
      + "or nearly the same values, and need less beside them",
    source: "torch/_functorch/partitioners.py, PyTorch 2.11")

  /// Refuses what was not traced through the partitioner.
  static func check(_ plan: TrainingPlan) throws(PlanError) {
    let isUsed = plan.retention(2).contains { piece in
      piece.pattern.contains {
        if case .minCut = $0 { return true }
        return false
      }
    }
    guard isUsed else { return }
    let obstacle: (String, String)? =
      if plan.distribution != nil || plan.pipeline != nil {
        ("on more than one device", "strategies.checkpointing")
      } else if plan.context.framework != .torch {
        ("of Megatron's layers", "framework")
      } else if plan.placement.activations != nil {
        ("with offloaded activations", "strategies.offload_activations")
      } else if plan.context.quantization != nil {
        ("over quantized weights", "strategies.lora.base_quantization")
      } else if plan.context.kernelSet != .torch || plan.context.attention == .flash {
        ("with kernels from outside PyTorch", "kernels")
      } else {
        nil
      }
    guard let obstacle else { return }
    throw PlanError(
      .unsupported, "min_cut \(obstacle.0) cannot be planned yet", path: obstacle.1,
      fix: "Use another checkpointing policy, or leave that out.")
  }
}

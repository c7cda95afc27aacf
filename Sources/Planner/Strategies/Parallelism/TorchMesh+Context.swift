/// What PyTorch's `context_parallel` runs with.
extension TorchMesh {
  /// Accelerate and torchtitan run it under `fully_shard` alone, over whose devices gradients add up.
  ///
  /// Source: `maybe_context_parallel` in `accelerate/accelerator.py`, accelerate 1.15.
  static func checkContext(_ plan: inout TrainingPlan, _ scenario: Scenario) throws(PlanError) {
    let place = "strategies.context_parallel"
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.conflict, what, path: path, fix: fix)
    }
    if plan.mesh.contextMethod != .ring {
      throw refuse(
        "PyTorch's context_parallel is a ring: all_to_all cannot be planned with it",
        place + ".method", "Use \"ring\".")
    }
    let family = scenario.model.family
    guard family.sharesSequences else {
      throw PlanError(
        .unsupported,
        "context parallelism of \(type(of: family).modelType) models, or of sliding windows, cannot be planned yet",
        path: place, fix: "Use a llama or qwen2 model, or leave it out.")
    }
    guard
      scenario.strategies.contains(where: { ($0 as? FullyShard).map { $0.older == nil } ?? false })
    else {
      throw refuse(
        "context_parallel runs under fully_shard", place,
        "Add \"fsdp\": {\"shards\": 1} or more: states are cut over all devices.")
    }
    if plan.mesh.tensor > 1 {
      throw refuse(
        "context and tensor parallelism together cannot be planned", place, "Leave one out.")
    }
    if plan.context.attention == .eager {
      throw refuse("context_parallel replaces fused attention", "attention", "Use \"sdpa\".")
    }
    if plan.context.loss != .transformers || plan.context.kernelSet != .torch {
      throw refuse(
        "only transformers' loss and kernels are planned with context parallelism", place,
        "Leave \"loss\" and \"kernels\" out.")
    }
    if !plan.context.trainsBase || plan.placement.activations != nil || plan.context.float8 {
      throw refuse(
        "adapters, offloaded activations and 8-bit products with context parallelism cannot be planned",
        place,
        "Leave them out.")
    }
    plan.assumptions.append(
      Assumption(
        "context_parallel",
        "PyTorch's context_parallel, keys and values gathered once, on the last device; labels shifted by the "
          + "loop, no attention mask",
        source: "torch/distributed/tensor/experimental/_context_parallel, PyTorch 2.11"))
  }
}

/// What PyTorch's `context_parallel` and DeepSpeed's Ulysses run with.
extension TorchMesh {
  /// Accelerate and torchtitan run the ring under `fully_shard` alone, over whose devices gradients add up, and accelerate
  /// Ulysses under DeepSpeed alone.
  ///
  /// Source: `maybe_context_parallel` and `_prepare_deepspeed` in `accelerate/accelerator.py`, `sp_backend` in
  /// `accelerate/parallelism_config.py`, accelerate 1.15.
  static func checkContext(_ plan: inout TrainingPlan, _ scenario: Scenario) throws(PlanError) {
    let place = "strategies.context_parallel"
    func refuse(_ what: String, _ path: String, _ fix: String) -> PlanError {
      PlanError(.conflict, what, path: path, fix: fix)
    }
    let family = scenario.model.family
    guard family.sharesSequences else {
      throw PlanError(
        .unsupported,
        "context parallelism of \(type(of: family).modelType) models, or of sliding windows, cannot be planned yet",
        path: place, fix: "Use a llama or qwen2 model, or leave it out.")
    }
    let ring = plan.mesh.contextMethod == .ring
    if !ring, !scenario.strategies.contains(where: { $0 is Zero }) {
      throw refuse(
        "all_to_all is DeepSpeed's Ulysses, and runs under its engine", place + ".method",
        "Add \"zero\": {\"stage\": 3, \"shards\": 1}, with states cut over all devices, or use \"ring\" with fsdp."
      )
    }
    guard
      !ring
        || scenario.strategies.contains(where: {
          ($0 as? FullyShard).map { $0.older == nil } ?? false
        })
    else {
      throw refuse(
        "context_parallel runs under fully_shard", place,
        "Add \"fsdp\": {\"shards\": 1} or more: states are cut over all devices.")
    }
    if plan.mesh.tensor > 1 {
      throw refuse(
        "context and tensor parallelism together cannot be planned", place, "Leave one out.")
    }
    if plan.context.attention != .sdpa, !ring || plan.context.attention == .eager {
      throw refuse(
        "context_parallel is planned around PyTorch's fused attention", "attention",
        "Use \"sdpa\".")
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
    guard ring else {
      plan.assumptions.append(
        Assumption(
          "context_parallel",
          "DeepSpeed's UlyssesSPAttentionHF: queries, keys and values of all heads exchanged for some heads of whole "
            + "sequences; positions and shifted labels from its loader, no attention mask",
          source: "deepspeed/runtime/sequence_parallel/ulysses_sp.py, DeepSpeed 0.19.8"))
      return
    }
    plan.assumptions.append(
      Assumption(
        "context_parallel",
        "PyTorch's context_parallel, keys and values gathered once, on the last device; labels shifted by the "
          + "loop, no attention mask",
        source: "torch/distributed/tensor/experimental/_context_parallel, PyTorch 2.11"))
  }
}

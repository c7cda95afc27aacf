/// What `transformers`' `ep_plan` runs with.
extension TorchMesh {
  private static let place = "strategies.expert_parallel"

  /// Checks it, and says what of a layer's tokens the busiest device computes.
  ///
  /// Source: `DistributedMixin.tp_plan` in `distributed/mixin.py`, transformers 5.17, which takes the `ep_plan` in place
  /// of the `tp_plan`.
  static func checkExperts(_ plan: inout TrainingPlan, _ scenario: Scenario) throws(PlanError) {
    guard let experts = scenario.model.family.routedExperts else {
      throw PlanError(
        .conflict, "\(scenario.model.name) has no experts to share", path: place,
        fix: "Leave it out.")
    }
    if plan.mesh.tensor > 1 || plan.mesh.context > 1 || plan.pipeline != nil {
      throw PlanError(
        .conflict,
        "transformers' ep_plan takes the place of tensor parallelism, and goes with no other cut",
        path: place, fix: "Leave one of them out, or use \"framework\": \"megatron\".")
    }
    if plan.context.quantization != nil {
      throw PlanError(
        .unsupported, "quantized models with expert parallelism cannot be planned", path: place,
        fix: "Leave one of the two out.")
    }
    try checkTechniques(plan, scenario, what: "expert parallelism", path: place)
    plan.mesh.expertShare = try share(plan, scenario, experts)
    let computed = (100 * plan.mesh.expertShare).rounded()
    plan.assumptions.append(
      Assumption(
        "expert_parallel",
        "transformers' ep_plan: experts cut, all else whole on every device; all have the same samples, rows for "
          + "all tokens × choices, of which the busiest computes \(Int(computed)) %, and add up what their experts "
          + "made; no tokens are sent",
        source: "transformers 5.17, distributed/tensor_parallel.py"))
  }

  /// The busiest expert lies on one device with equal others.
  private static func share(
    _ plan: TrainingPlan, _ scenario: Scenario, _ experts: RoutedExperts
  ) throws(PlanError) -> Double {
    let even = 1 / Double(plan.mesh.expert)
    guard let load = scenario.workload.expertLoad else { return even }
    let tokens = try checkedProduct(plan.context.batch, plan.context.sequence)
    let (busiest, others) = load.tokens(tokens, experts)
    let own = Double(experts.count / plan.mesh.expert)
    let rows = Double(busiest) + max(0, own - 1) * others
    return max(even, rows / (Double(tokens) * Double(experts.choices)))
  }
}

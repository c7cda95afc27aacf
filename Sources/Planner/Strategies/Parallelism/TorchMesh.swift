/// What model parallelism PyTorch and `transformers` run, and what of it is planned.
enum TorchMesh {
  /// Throws where the mesh of a plan cannot be planned under `"framework": "torch"`; others check their own.
  static func check(_ plan: TrainingPlan, of scenario: Scenario) throws(PlanError) {
    guard plan.context.framework == .torch else { return }
    let mesh = plan.mesh
    if mesh.tensor > 1 { throw unsupported(TensorParallel.name) }
    if mesh.context > 1 { throw unsupported(ContextParallel.name) }
    if mesh.expert > 1 { throw unsupported(ExpertParallel.name) }
  }

  private static func unsupported(_ name: String) -> PlanError {
    PlanError(
      .unsupported, "\"\(name)\" cannot be planned yet with \"framework\": \"torch\"",
      path: "strategies.\(name)", fix: "Leave it out.")
  }
}

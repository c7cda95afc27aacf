/// What one checkpoint of a run takes on a disk.
public struct CheckpointSize: Hashable, Sendable {
  /// Weights: of a run with adapters the adapters alone, as PEFT saves them.
  public var weights: Bytes
  /// Optimizer states, and the fp32 master copies that go with them; nothing where they are not saved.
  public var states: Bytes
  /// All weights of the model: what a run starts from, and what is exported at its end.
  public var model: Bytes

  /// Both together.
  public var total: Bytes { get throws(PlanError) { try weights + states } }

  /// Bytes for each parameter that is saved: 14 for bf16 weights with fp32 master copies and two moments.
  public func bytesPerParameter(_ parameters: Int) throws(PlanError) -> Double {
    parameters > 0 ? Double(try total.count) / Double(parameters) : 0
  }

  /// Adds up the weights of a scenario's model, in the format that it holds them in.
  ///
  /// DeepSpeed keeps fp32 master copies and both moments in fp32 whatever the model's format: 12 bytes a parameter
  /// (`bf16_zero_pp_rank_*_optim_states.pt`). Source: `runtime/zero/stage_1_and_2.py`, DeepSpeed 0.19.8.
  init(_ scenario: Scenario, savesOptimizer: Bool) throws(PlanError) {
    let scenario = try CheckpointSize.resolved(scenario)
    let plan = try Planner.decide(scenario)
    let graph = try scenario.model.family.graph(plan.context)
    let keepsMaster = scenario.strategies.contains { $0 is Zero }
    let adapters = scenario.strategies.lazy.compactMap { $0 as? LoRA }.first
    let optimizer = (plan.optimizer as? HostOptimizer)?.optimizer ?? plan.optimizer
    (weights, states, model) = (.zero, .zero, .zero)
    for weight in TrainingStep.weights(of: graph) {
      var one = Bytes.zero
      for tensor in weight.tensors { one = try one + Bytes(tensor) }
      let bytes = try one * weight.count
      // What was quantized on loading lies in 16 bits on the disk.
      let isQuantized = adapters?.baseQuantization != nil && !weight.trainable
      model = try model + (isQuantized ? Bytes(2) * weight.spec.elements * weight.count : bytes)
      if weight.trainable || adapters == nil { weights = try weights + bytes }
      guard savesOptimizer, weight.trainable else { continue }
      var each = keepsMaster ? try Bytes(12) * weight.spec.elements : .zero
      if !keepsMaster {
        for state in try optimizer.states(of: weight.trained) {
          each = try each + Bytes(state.bytes)
        }
      }
      states = try states + each * weight.count
    }
  }

  /// Checkpointing of activations has no part in what is saved.
  private static func resolved(_ scenario: Scenario) throws(PlanError) -> Scenario {
    var plain = scenario
    plain.strategies.removeAll { $0 is ActivationCheckpointing }
    return plain
  }
}

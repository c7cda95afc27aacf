import Testing

@testable import Planner

/// Adam in mixed precision, 7.5 billion parameters, 64 devices; GB of 10⁹ bytes.
///
/// Source: figure 1 of Rajbhandari et al. 2020, arXiv:1910.02054. One device stands for the figure's baseline, which cuts nothing.
@Suite("The ZeRO paper's figure of model states") struct ZeroPaperTests {
  @Test(
    "is what the planner's parameters, gradients and optimizer states add up to",
    arguments: [(1, 1, 120.0), (1, 64, 31.4), (2, 64, 16.6), (3, 64, 1.9)])
  func states(_ stage: Int, _ devices: Int, _ published: Double) throws {
    let text = """
      {"schema": 1, "model": {"model_type": "llama", "vocab_size": 50304, "hidden_size": 4096,
      "intermediate_size": 11008, "num_hidden_layers": 35, "num_attention_heads": 32,
      "num_key_value_heads": 32, "tie_word_embeddings": false},
      "workload": {"micro_batch_size": 1, "sequence_length": 128}, "precision": "bf16-true",
      "strategies": {"zero": {"stage": \(stage), "shards": \(devices),
      "stage3_param_persistence_threshold": 0}},
      "hardware": {"device": "h100-sxm", "devices": \(devices)}}
      """
    let scenario = try ScenarioReader { (path) throws(PlanError) in
      throw PlanError(.unreadable, "no file here", path: path, fix: "")
    }.read(try JSONReader.read([UInt8](text.utf8)))
    let plan = try Planner.decide(scenario)
    let step = try TrainingStep(try scenario.model.family.graph(plan.context), plan)
    let parameters = step.weights.reduce(0) { $0 + $1.spec.elements * $1.count }
    #expect(parameters > 7_400_000_000 && parameters < 7_600_000_000)

    // What is there before the step, and gradients: in stage 1 all of them when backward has made the last, in stage 2
    // and on one device those that are left when it is over; stage 3 has a place for them before the step.
    var (states, gradients, most, resident) = (0, 0, 0, 0)
    var begun = false
    for event in step.schedule.events {
      if event.kind == .phase { begun = true }
      if event.kind == .phase, event.count == Int32(Phase.optimizer.rawValue) { break }
      guard event.kind == .memory else { continue }
      let bytes = Int(event.count) * event.bytes
      if event.role == .gradients { gradients += bytes }
      if !begun, event.role == .parameters || event.role == .optimizerState { states += bytes }
      if !begun { resident = gradients }
      most = max(most, gradients)
    }
    let cutGradients = stage == 3 ? resident : stage == 1 && devices > 1 ? most : gradients
    let total = Double(states + cutGradients)
    let scaled = total * 7.5e9 / Double(parameters) / 1e9
    #expect(abs(scaled / published - 1) < 0.035, "\(scaled)")
  }
}

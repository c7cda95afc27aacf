/// Shares the layers among stages that hand activations to each other: pipeline parallelism.
///
/// Micro-batches are the workload's gradient accumulation steps.
///
/// Source: Huang et al. 2019, arXiv:1811.06965; Narayanan et al. 2021, arXiv:2104.04473;
/// `torch/distributed/pipelining`, PyTorch 2.11.
public struct PipelineParallel: Strategy {
  /// See ``Strategy/name``.
  public static let name = "pipeline_parallel"
  /// See ``Strategy/summary``.
  public static let summary =
    "Shares the layers among stages that run micro-batches in turn (gpipe, 1f1b, interleaved, zero-bubble, dualpipe)."
  /// See ``Strategy/stage``.
  public static let stage = Stage.partition
  /// See ``Strategy/decisions``.
  public static let decisions: Set<Decision> = [.pipelineParallelism]
  /// See ``Strategy/keys``.
  public static let keys: [SettingKey] =
    [
      SettingKey(needed: "degree", .integer(1...4096), "stages"),
      SettingKey(
        "schedule", .choice(PipelineSchedules.all.map { $0.name }),
        default: .string(PipelineSchedules.all[0].name), "in which order micro-batches run"),
      SettingKey(
        "virtual_stages", .integer(1...256), otherwise: "what the schedule has: 1 or 2",
        "parts of the model on each stage"),
    ] + LayerSplit.keys

  /// The names of all schedules, the default first.
  public static var schedules: String {
    PipelineSchedules.all.map { $0.name }.joined(separator: ", ")
  }

  /// Ranks.
  public let degree: Int
  /// Parts of the model on each rank (`virtual_stages`).
  public let virtualStages: Int
  private let schedule: any PipelineSchedule.Type
  private let split: LayerSplit

  /// Reads the settings of a scenario.
  public init(_ settings: inout Settings) throws(PlanError) {
    degree = try settings.integer("degree")
    schedule = try Self.schedule(&settings)
    let wanted = try settings.optionalInteger("virtual_stages")
    let natural = schedule.chunks ?? (schedule.splitsBackward ? 1 : 2)
    virtualStages = wanted ?? natural
    if let fixed = schedule.chunks, let wanted, wanted != fixed {
      throw PlanError(
        .conflict,
        "\(schedule.name) has \(fixed) \(fixed == 1 ? "stage" : "stages") on each rank, not \(wanted)",
        path: settings.place("virtual_stages"),
        fix: "Leave \"virtual_stages\" out, or use \"interleaved-1f1b\".")
    }
    split = try Self.split(&settings)
  }

  private static func schedule(_ settings: inout Settings) throws(PlanError)
    -> any PipelineSchedule.Type
  {
    guard let name = try settings.optionalString("schedule") else {
      return PipelineSchedules.all[0]
    }
    for schedule in PipelineSchedules.all where schedule.name == name { return schedule }
    throw .unknownName(
      name, "schedule", among: PipelineSchedules.all.map { $0.name },
      path: settings.place("schedule"), list: "plan show pipeline_parallel")
  }

  /// `"layers": [7, 9]`, or `{ "first": 7, "last": 6 }`.
  private static func split(_ settings: inout Settings) throws(PlanError) -> LayerSplit {
    var split = LayerSplit()
    if case .object? = settings.value("layers") {
      if var ends = try settings.object("layers") {
        split.first = try ends.optionalInteger("first")
        split.last = try ends.optionalInteger("last")
        try ends.finish()
      }
    } else {
      split.layers = try settings.optionalIntegers("layers")
    }
    split.countsEmbedding = try settings.bool("account_for_embedding")
    split.countsHead = try settings.bool("account_for_loss")
    return split
  }

  /// See ``Strategy/label``.
  public var label: String {
    let chunks = virtualStages > 1 ? ", \(virtualStages) parts each" : ""
    return "pipeline of \(degree) stages, \(schedule.name)" + chunks
  }

  /// Writes the decisions into the plan.
  public func decide(_ plan: inout TrainingPlan) throws(PlanError) {
    plan.mesh.pipeline = degree
    let shape = PipelineShape(
      degree: degree, chunks: virtualStages, microBatches: plan.microBatches)
    let transport: PipelineTransport =
      switch plan.context.framework {
      case .torch: .torch(isRuntime: schedule.isRuntime)
      case .megatron: .megatron(isInterleaved: virtualStages > 1)
      case .deepspeed: .deepSpeed
      }
    plan.pipeline = PipelinePlan(
      shape: shape, schedule: try schedule.init(shape), split: split, transport: transport)
    // The schedule gives the logits to a loss function, and keeps them until their backward.
    if plan.context.framework != .megatron { plan.context.keepOutputs = true }
    plan.assumptions += assumptions(shape, plan.context.framework)
  }

  private func assumptions(_ shape: PipelineShape, _ framework: Framework) -> [Assumption] {
    let apart = "the stages are the ranks farthest apart"
    let transport =
      switch framework {
      case .torch:
        Assumption(
          "pipeline",
          "stages receive into buffers that each micro-batch has for itself; the batch is loaded whole, logits are not "
            + "returned, and \(apart)",
          source: "torch/distributed/pipelining, PyTorch 2.11; torchtitan")
      case .megatron:
        Assumption(
          "pipeline",
          "stages receive each message into a new tensor, and free what they sent (deallocate_pipeline_outputs); "
            + apart, source: "megatron/core/pipeline_parallel/schedules.py")
      case .deepspeed:
        Assumption(
          "pipeline",
          "DeepSpeed's PipelineEngine: one buffer to receive in, out of which each micro-batch copies; the last stage "
            + "keeps the logits and graphs of two micro-batches; one tensor is sent, and \(apart)",
          source: "deepspeed/runtime/pipe/engine.py, DeepSpeed 0.19.8")
      }
    var list = [transport]
    if shape.microBatches < shape.degree {
      list.append(
        Assumption(
          "micro_batches",
          "\(shape.microBatches) micro-batches do not fill \(shape.degree) stages: most of the step is bubble",
          source: "torch's Schedule1F1B refuses it"))
    }
    return list
  }
}

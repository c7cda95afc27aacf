/// What the strategies decided, before the graph is made.
public struct TrainingPlan: Sendable {
  /// What decides how the forward pass is written.
  public var context = ForwardContext()
  /// What layers keep for backward: pieces in order; empty for "everything, everywhere".
  var retentionPieces: @Sendable (Int) -> [RetentionPiece] = {
    [RetentionPiece(pattern: [.keep], layers: $0)]
  }
  /// Whether ``retentionPieces`` are those of each stage of a pipeline instead of the whole model.
  var retainsPerStage = false
  /// Whether a replay ends at the last tensor that backward needs.
  var earlyStop = true
  /// Forward and backward passes before the optimizer steps.
  var microBatches = 1
  /// The optimizer.
  var optimizer: any Optimizer = AdamW()
  /// Whether the optimizer and its states lie on the host.
  var updatesOnHost = false
  /// The norm that gradients are clipped to, or `nil`.
  var clipping: Double?
  /// Whether a loss scaler multiplies the loss (fp16 autocast).
  var scalesLoss = false
  /// What lies on the host.
  var placement = Placement()
  /// Devices that each hold a copy of the model, or a share of one, and work on samples of their own.
  var dataParallel = 1
  /// How many devices share one copy of the model, and what they cut.
  var mesh: Mesh {
    get { context.mesh }
    set { context.mesh = newValue }
  }
  /// How the layers are shared among stages, or `nil` where every device has all.
  var pipeline: PipelinePlan?
  /// Makes what spreads the states over devices, or `nil` where one device has all.
  var distribution: (@Sendable (LayerGraph, TrainingPlan) throws(PlanError) -> any Distribution)?
  /// NCCL communicators that each process is in.
  var communicators = 0
  /// Projections that got adapters, as the scenario names them.
  var adaptedModules: [String] = []
  /// What the strategies took for granted.
  public var assumptions: [Assumption] = []

  /// Scalars that the loop holds besides the loss: divided by the micro-batches, multiplied by the loss scale or both.
  var lossScalars: Int { microBatches > 1 || scalesLoss ? 1 : 0 }

  /// Whether layers run in reentrant checkpoints.
  var checkpointsReentrantly: Bool {
    retention(2).contains { $0.pattern.contains(.recompute(reentrant: true)) }
  }

  /// What each of `layers` layers keeps, in pieces.
  func retention(_ layers: Int) -> [RetentionPiece] { retentionPieces(layers) }

  /// The workspaces that cuBLAS and cuBLASLt keep inside the allocator.
  ///
  /// cuBLAS: one per handle, for the forward and the autograd thread; 32 MiB on compute capability 9.0, else
  /// 8,519,680 bytes. cuBLASLt: 1 MiB per thread that ran a matrix product with a bias or in 8-bit floating point.
  ///
  /// Source: `getChosenWorkspaceSize` in PyTorch's `aten/src/ATen/cuda/CublasHandlePool.cpp`; the reference runs.
  func libraryWorkspaces(_ graph: LayerGraph, addsBiasAgain: Bool = false) -> [Int] {
    if context.kernels.isProcessor { return [] }
    if context.framework == .megatron {
      return context.megatron.workspaces(
        on: context.kernels, usesEngine: graph.program.routes,
        groupsProducts: graph.program.groupsProducts)
    }
    let handle = context.kernels.computeCapability / 10 == 9 ? 33_554_432 : 8_519_680
    var workspaces = [handle, handle]
    if graph.program.multipliesInFloat8 {
      workspaces += [1 << 20, 1 << 20]
    } else if graph.program.addsBias {
      workspaces.append(1 << 20)
      let replayed = retention(graph.layers).contains {
        $0.layers > 0 && $0.pattern.contains(where: \.addsBiasAgain)
      }
      if replayed || addsBiasAgain { workspaces.append(1 << 20) }
    }
    return workspaces
  }

  /// Clipping the gradients' norm: a norm of each tensor, all of them stacked, and the norm of those.
  ///
  /// With a foreach optimizer, partial norms of every tensor lie in one buffer; otherwise one tensor follows the other.
  ///
  /// Source: `_get_total_norm` in `torch/nn/utils/clip_grad.py`; `foreach_tensor_norm_cuda` in PyTorch's
  /// `aten/src/ATen/native/cuda/ForeachReduceOp.cu`: chunks of 65,536 elements.
  func clip(_ weights: [TrainingStep.Weight], _ schedule: inout Schedule) throws(PlanError) {
    let trained = weights.filter(\.trainable)
    guard clipping != nil, let scalar = trained.first?.spec.dtype.size else { return }
    var tensors = 0
    var chunks = 0
    for weight in trained {
      tensors += weight.count
      chunks = max(
        chunks, weight.spec.elements / 65_536 + (weight.spec.elements % 65_536 == 0 ? 0 : 1))
    }
    let moment = Moment.clipping.rawValue
    if optimizer.implementation == .foreach {
      let partial = try TensorSpec(tensors, chunks, .fp32).bytes
      schedule.allocate(partial, .other, moment)
      schedule.allocate(scalar, count: tensors, .other, moment)
      schedule.free(partial, .other, moment)
    } else {
      var norms = OptimizerStep(
        weights: trained, schedule: schedule, moment: .clipping, role: .other)
      norms.forEach { step, weight, _ in
        step.allocate(scalar)
        let workspace = TotalNorm.workspace(elements: weight.spec.elements, on: context.kernels)
        step.allocate(workspace)
        step.free(workspace)
      }
      schedule = norms.schedule
    }
    let total = scalar + TotalNorm.workspace(elements: tensors, on: context.kernels)
    schedule.allocate(scalar, count: tensors, .other, moment)
    schedule.allocate(total, .other, moment)
    schedule.free(total, .other, moment)
    schedule.free(scalar, count: 2 * tensors, .other, moment)
  }
}

/// What the strategies decided, before the graph is made.
public struct TrainingPlan: Sendable {
  /// What decides how the forward pass is written.
  public var context = ForwardContext()
  /// What layers keep for backward: pieces in order; empty for "everything, everywhere".
  var retentionPieces: @Sendable (Int) -> [RetentionPiece] = {
    [RetentionPiece(pattern: [.keep], layers: $0)]
  }
  /// Whether a replay ends at the last tensor that backward needs.
  var earlyStop = true
  /// Forward and backward passes before the optimizer steps.
  var microBatches = 1
  /// The optimizer.
  var optimizer: any Optimizer = AdamW()
  /// The norm that gradients are clipped to, or `nil`.
  var clipping: Double?
  /// Whether a loss scaler multiplies the loss (fp16 autocast).
  var scalesLoss = false
  /// Devices that the strategies use together.
  var devices = 1
  /// Projections that got adapters, as the scenario names them.
  var adaptedModules: [String] = []
  /// What the strategies took for granted.
  public var assumptions: [Assumption] = []

  /// Scalars that the loop makes of the loss: divided by the micro-batches, multiplied by the loss scale.
  var lossScalars: Int { (microBatches > 1 ? 1 : 0) + (scalesLoss ? 1 : 0) }

  /// What each of `layers` layers keeps, in pieces.
  func retention(_ layers: Int) -> [RetentionPiece] { retentionPieces(layers) }

  /// The workspaces that cuBLAS and cuBLASLt keep inside the allocator.
  ///
  /// cuBLAS: one per handle, for the forward and the autograd thread; 32 MiB on compute capability 9.0, else
  /// 8,519,680 bytes. cuBLASLt: 1 MiB per thread that ran a matrix product with a bias.
  ///
  /// Source: `getChosenWorkspaceSize` in PyTorch's `aten/src/ATen/cuda/CublasHandlePool.cpp`; the reference runs.
  func libraryWorkspaces(_ graph: LayerGraph) -> [Int] {
    let handle = context.kernels.computeCapability / 10 == 9 ? 33_554_432 : 8_519_680
    var workspaces = [handle, handle]
    if graph.program.addsBias {
      workspaces.append(1 << 20)
      let replayed = retention(graph.layers).contains {
        $0.layers > 0 && $0.pattern.contains { $0 != .keep }
      }
      if replayed { workspaces.append(1 << 20) }
    }
    return workspaces
  }

  /// Clipping the gradients' norm: partial norms of every tensor in one buffer, and a scalar for each.
  ///
  /// Source: `foreach_tensor_norm_cuda` in PyTorch's `aten/src/ATen/native/cuda/ForeachReduceOp.cu`: chunks of 65,536 elements.
  func clip(_ weights: [TrainingStep.Weight], _ schedule: inout Schedule) throws(PlanError) {
    guard clipping != nil else { return }
    var tensors = 0
    var chunks = 0
    for weight in weights where weight.trainable {
      tensors += weight.count
      chunks = max(chunks, (weight.spec.elements + 65_535) / 65_536)
    }
    let partial = try TensorSpec(tensors, chunks, .fp32).bytes
    let moment = Moment.clipping.rawValue
    schedule.allocate(partial, .other, moment)
    schedule.allocate(4, count: tensors, .other, moment)
    schedule.free(partial, .other, moment)
    schedule.free(4, count: tensors, .other, moment)
  }
}

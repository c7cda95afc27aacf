/// What clipping and the optimizer's step compute and move on one device.
struct UpdateWork: Hashable, Sendable {
  /// Bytes that are read and written.
  private(set) var bytes = 0.0
  /// Floating-point operations of matrix products.
  private(set) var flops = 0.0

  /// Of the weights that a device updates, in backward or after it.
  ///
  /// Clipping reads the gradients for their norm, and reads and writes them to scale them; so does a loss scaler.
  init(_ weights: [TrainingStep.Weight], of plan: TrainingPlan) throws(PlanError) {
    let passes = (plan.clipping == nil ? 0.0 : 3) + (plan.scalesLoss ? 2 : 0)
    for weight in weights where weight.trainable && weight.count > 0 {
      let count = Double(weight.count)
      bytes += passes * count * Double(weight.spec.bytes)
      guard !plan.updatesOnHost else { continue }
      bytes += count * Double(try plan.optimizer.bytesMoved(for: weight.trained))
      flops += count * plan.optimizer.flops(for: weight.spec)
    }
  }

  /// The estimated time.
  func seconds(on kernels: KernelTraits) -> Double {
    bytes / max(kernels.bandwidth * kernels.efficiency.memory, 1)
      + flops / max(kernels.rate16 * kernels.efficiency.products, 1)
  }
}

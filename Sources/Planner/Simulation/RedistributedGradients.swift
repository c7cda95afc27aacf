/// Gradients that an optimizer of `DTensor`s lays out as their weights are, anew in each operation that takes them.
///
/// A weight that all devices have gets a partial gradient from each device's rows, a table cut by rows the gradient of
/// the whole table. What is copied so is freed before the optimizer's own temporaries are there.
///
/// Source: allocator traces of `_foreach_lerp_`, `_foreach_addcmul_` (which takes gradients twice) and `_fused_adamw_`
/// on `DTensor`s, PyTorch 2.11.
extension OptimizerStep {
  /// Allocates and frees the copies.
  mutating func redistribute(for optimizer: any Optimizer) throws(PlanError) {
    let uses = optimizer is SGD || optimizer.implementation == .fused ? 1 : 2
    var (sum, most) = (0, 0)
    for weight in weights where weight.redistributesGradient {
      let (total, overflow) = sum.addingReportingOverflow(
        try checkedProduct(weight.spec.bytes, weight.count, uses))
      guard !overflow else { throw .overflow("bytes", "the sum of redistributed gradients") }
      (sum, most) = (total, max(most, weight.spec.bytes &* uses))
    }
    let bytes = optimizer.implementation == .forLoop ? most : sum
    guard bytes > 0 else { return }
    allocate(bytes)
    free(bytes)
  }
}

extension TrainingStep.Weight {
  /// The weight as an optimizer sees it when it makes its states: SGD's momentum begins as a copy of the gradient,
  /// which of a cut table is that of the whole table.
  func asFirstSeen(by optimizer: any Optimizer) throws(PlanError) -> TrainedWeight {
    guard redistributesGradient, let whole, optimizer is SGD, spec.columns > 0 else {
      return trained
    }
    return TrainedWeight(
      name: name, spec: try TensorSpec(whole / spec.columns, spec.columns, spec.dtype),
      isLinear: isLinear)
  }
}

extension Program.Leaf {
  /// The gradient laid out as the weight is, in a tensor of its own where it was not.
  ///
  /// Source: `_get_grad_inner_tensor` in `torch/distributed/fsdp/_fully_shard/_fsdp_param.py`, PyTorch 2.11.
  func redistributed(_ gradient: Int32, in tape: inout Tape) -> Int32 {
    guard redistributesGradient else { return gradient }
    let moment = Moment.reduceScatter.rawValue
    let part = tape.allocate(spec.bytes, .gradients, moment)
    tape.release(gradient, moment)
    return part
  }
}

/// Cross entropy over rows of logits with the batch's own labels, in the format of the logits and not shifted.
///
/// Autocast leaves the log-softmax in the format that it is asked for, and runs the rest in fp32.
///
/// Source: `cross_entropy_loss_symint` in PyTorch's `aten/src/ATen/native/LossNLL.cpp` names the format of the
/// logits; `log_softmax` and `nll_loss` in `aten/src/ATen/autocast_mode.h`.
enum ClassLoss {
  /// Computes the loss.
  static func loss(_ logits: Value, in f: inout Forward) throws(PlanError) -> Value {
    let logarithms = f.logSoftmax(logits)
    let wide = f.context.autocast == nil ? logarithms : f.cast(logarithms, to: .fp32)
    return try f.negativeLogLikelihood(wide, labels: nil)
  }
}

/// The number formats of weights and arithmetic, in Lightning's names.
public enum Precision: String, Hashable, Sendable, CaseIterable {
  /// Everything in fp32.
  case fp32True = "32-true"
  /// Everything in bf16.
  case bf16True = "bf16-true"
  /// Everything in fp16.
  case fp16True = "16-true"
  /// fp32 weights; matrix products and attention in bf16 by autocast.
  case bf16Mixed = "bf16-mixed"
  /// fp32 weights; matrix products and attention in fp16 by autocast, with a loss scaler.
  case fp16Mixed = "16-mixed"
}

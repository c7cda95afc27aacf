/// How attention is computed, in the words of `attn_implementation`.
public enum AttentionImplementation: String, Hashable, Sendable, CaseIterable {
  /// PyTorch's `scaled_dot_product_attention`: the kernel that it takes on the device.
  case sdpa
  /// Plain matrix products and a softmax in fp32; the scores are materialised.
  case eager
  /// FlashAttention 2 by the flash-attn package (`flash_attention_2`).
  case flash
}

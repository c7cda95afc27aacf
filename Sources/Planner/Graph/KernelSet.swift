/// Whose kernels run the parts of a decoder layer and the loss.
public enum KernelSet: String, Hashable, Sendable, CaseIterable {
  /// PyTorch's own, as `transformers` writes them.
  case torch
  /// Liger's fused kernels, as `apply_liger_kernel_to_…` puts them in place.
  case liger
}

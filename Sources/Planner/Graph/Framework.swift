/// Whose training loop, kernels and buffers are meant.
public enum Framework: String, Hashable, Sendable, CaseIterable {
  /// PyTorch with `transformers`' models, `fully_shard`, DDP, DTensor.
  case torch
}

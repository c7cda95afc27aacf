/// Whose training loop, kernels and buffers are meant.
public enum Framework: String, Hashable, Sendable, CaseIterable {
  /// PyTorch with `transformers`' models, `fully_shard`, DDP, DTensor.
  case torch
  /// Megatron-LM's core with its fused kernels, gradient buffers and parallelism.
  case megatron
  /// DeepSpeed's `PipelineEngine` over `transformers`' layers, with ZeRO and tensor parallelism by autograd functions of
  /// Megatron's kind.
  case deepspeed
}

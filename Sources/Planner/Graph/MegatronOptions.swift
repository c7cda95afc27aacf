/// What a Megatron run chooses beside the model: whose layers, which fusions, what is recomputed.
///
/// Names and defaults are those of Megatron-LM's arguments (`megatron/training/arguments.py`, core 0.16.1).
public struct MegatronOptions: Hashable, Sendable {
  /// Whose layers run (`--transformer-impl`).
  public enum Implementation: String, Hashable, Sendable, CaseIterable {
    /// Transformer Engine's modules.
    case transformerEngine = "transformer_engine"
    /// Megatron's own, with Apex's norms and softmax.
    case local
  }

  /// Which kernel computes attention (`--attention-backend`).
  public enum AttentionBackend: String, Hashable, Sendable, CaseIterable {
    /// Transformer Engine's choice: cuDNN's from compute capability 9.0 on, else FlashAttention.
    case auto
    /// FlashAttention 2.
    case flash
    /// cuDNN's fused attention.
    case fused
    /// Matrix products and a fused softmax.
    case unfused
  }

  /// How the loss is computed (`--cross-entropy-loss-fusion`, `--cross-entropy-fusion-impl`).
  public enum CrossEntropy: String, Hashable, Sendable, CaseIterable {
    /// Operation by operation, in place.
    case unfused
    /// Compiled pieces.
    case native
    /// Transformer Engine's kernel, which writes gradients over the logits.
    case transformerEngine = "te"
  }

  /// How tokens get to their experts (`--moe-token-dispatcher-type`).
  public enum Dispatcher: String, Hashable, Sendable, CaseIterable {
    /// Every device gathers all tokens and takes those of its experts.
    case allGather = "allgather"
    /// Devices exchange the tokens.
    case allToAll = "alltoall"
  }

  /// Parts of a layer that are computed again (`--recompute-modules`).
  public enum Module: String, Hashable, Sendable, CaseIterable {
    /// Scores, softmax, dropout and their product with the values.
    case coreAttention = "core_attn"
  }

  /// Whose layers run.
  public var implementation = Implementation.transformerEngine
  /// Whether the models of before Megatron core run (`--use-legacy-models`; `megatron/model` until 2023).
  public var usesLegacyModels = false
  /// Which kernel computes attention.
  public var attention = AttentionBackend.auto
  /// How the loss is computed.
  public var crossEntropy = CrossEntropy.unfused
  /// Whether products add weight gradients to the fp32 buffer themselves (`--no-gradient-accumulation-fusion`).
  public var fusesGradientAccumulation = true
  /// Whether bias, dropout and residual are one kernel (`--no-bias-dropout-fusion`).
  public var fusesBiasDropout = true
  /// Whether the loader makes a mask of every token for every token (`--no-create-attention-mask-in-dataloader`).
  public var makesMask = true
  /// Parts of every layer that are computed again.
  public var recomputes: Set<Module> = []
  /// Devices that cut each expert (`--expert-tensor-parallel-size`), or `nil` for those that cut all matrices.
  public var expertTensorDegree: Int?
  /// How tokens get to their experts.
  public var dispatcher = Dispatcher.allGather
  /// Bytes of a cuBLAS workspace (`CUBLAS_WORKSPACE_CONFIG`), or `nil` for PyTorch's own choice.
  public var productWorkspace: Int?

  /// Megatron's defaults.
  public init() {}

  /// Whether Megatron's own layers call FlashAttention: only its legacy models do (`--use-flash-attn`).
  var runsOwnFlashAttention: Bool { usesLegacyModels && attention == .flash }
}

extension MegatronOptions {
  /// The workspaces that stay: two cuBLAS handles of PyTorch's, and Transformer Engine's own.
  ///
  /// cuBLAS has 32 MiB on compute capability 9.0 and, as NVIDIA's recorded runs on GB200 show, 10.0.
  ///
  /// - Parameters:
  ///   - usesEngine: Whether Megatron's own layers call a product of Transformer Engine's, as routers do.
  ///   - groupsProducts: Whether it multiplies groups, each of four streams in a workspace of its own.
  ///
  /// Source: `getChosenWorkspaceSize` in PyTorch's `aten/src/ATen/cuda/CublasHandlePool.cpp`;
  /// `get_cublas_workspace_size_bytes` and `get_multi_stream_cublas_workspace` in
  /// `transformer_engine/pytorch/module/base.py`: 32 MiB from Hopper on, else 4 MiB.
  func workspaces(on kernels: KernelTraits, usesEngine: Bool, groupsProducts: Bool) -> [Int] {
    let isLarge = [9, 10].contains(kernels.computeCapability / 10)
    let handle = productWorkspace ?? (isLarge ? 33_554_432 : 8_519_680)
    guard implementation == .transformerEngine || usesEngine else { return [handle, handle] }
    let own = kernels.computeCapability >= 90 ? 33_554_432 : 4_194_304
    return [handle, handle, own] + Array(repeating: own, count: groupsProducts ? 4 : 0)
  }
}

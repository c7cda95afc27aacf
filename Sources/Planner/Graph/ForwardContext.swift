/// What decides how a forward pass is written, beyond the model's sizes.
public struct ForwardContext: Sendable {
  /// Sequences in one forward pass.
  public var batch = 1
  /// Tokens in each sequence; of an encoder-decoder in each that the encoder reads.
  public var sequence = 1
  /// Tokens in each sequence that a decoder beside an encoder writes; as many as ``sequence`` if `nil`.
  public var targetSequence: Int?
  /// The format of weights and, without autocast, of activations.
  public var dtype = DType.bf16
  /// The format that weights are kept in, where all are cast to ``dtype`` as they are gathered for a layer.
  public var storedFormat: DType?
  /// The format that buffers kept, where the weights were cast to another one after loading.
  public var bufferFormat: DType?
  /// The format that autocast runs matrix products and attention in; `nil` without autocast.
  public var autocast: DType?
  /// Whether autocast keeps the cast of a trained weight; it does not where the weight is a view of a flat parameter.
  public var cachesCasts = true
  /// Whether linear layers multiply in 8-bit floating point.
  public var float8 = false
  /// How many devices share one copy of the model, and what they cut.
  public var mesh = Mesh()
  /// Whose training loop, kernels and buffers are meant.
  public var framework = Framework.torch
  /// What a run of Megatron chooses; of no meaning under other frameworks.
  public var megatron = MegatronOptions()
  /// How attention is computed.
  public var attention = AttentionImplementation.sdpa
  /// Whose kernels run the parts of a layer and the loss.
  public var kernelSet = KernelSet.torch
  /// How the loss is computed.
  public var loss = LossImplementation.transformers
  /// Whether the caller holds the logits until the step ends.
  public var keepOutputs = false
  /// Whether linear layers save their input though their weight is frozen (DeepSpeed's `memory_efficient_linear`).
  public var savesLinearInputs = false
  /// Whether adapters are cast to the format of the frozen weights, whatever it was (DeepSpeed's `bf16` and `fp16`).
  public var castsAdapters = false
  /// Whether the model's own weights are trained.
  public var trainsBase = true
  /// Whether the output of a frozen embedding is made to want a gradient (`enable_input_require_grads`).
  public var inputRequiresGradient = false
  /// Adds adapters to linear projections, where a strategy wants them.
  var adapter: (any LinearAdapter)?
  /// How the weights of projections are quantized, or `nil` for plain ones.
  var quantization: (any QuantizedWeight)?
  /// Whether any layer is checkpointed: its arguments then live until its backward.
  public var checkpoints = false
  /// Whether the model was told to checkpoint itself (`gradient_checkpointing_enable`), layer by layer.
  public var enablesCheckpointing = false
  /// The kernels that PyTorch takes on the device.
  public var kernels = KernelTraits()

  /// Defaults: one token in bf16 on a Hopper device.
  public init() {}
}

/// What the choice and the workspaces of kernels depend on.
public struct KernelTraits: Hashable, Sendable {
  /// CUDA compute capability × 10.
  public var computeCapability = 90
  /// Streaming multiprocessors.
  public var multiprocessors = 132
  /// Threads one of them can hold.
  public var threadsPerMultiprocessor = 2048
  /// Bytes per second to device memory.
  public var bandwidth = 3.35e12
  /// FLOP per second of matrix products in fp32, and in 16 bits.
  public var rate32 = 67e12
  /// FLOP per second of matrix products in 16 bits.
  public var rate16 = 989.5e12
  /// Whether the kernels are those of the host's processors.
  public var isProcessor = false
  /// What kernels reach of these rates.
  public var efficiency = KernelEfficiency()

  /// Defaults: an H100 SXM.
  public init() {}
}

/// Adds trainable weights to the linear projections that it names.
protocol LinearAdapter: Sendable {
  /// The adapter of the projection `module`, or `nil` if it has none.
  ///
  /// - Parameter cut: What of it this device has, where `input` or `output` is a part.
  func adapter(
    for module: StaticString, input: Int, output: Int, cut: Linear.Cut, in forward: inout Forward
  ) throws(PlanError) -> AdapterWeights?
  /// Runs the projection with its adapter; `base` runs the projection alone.
  func project(_ x: Value, through linear: Linear, in forward: inout Forward)
    throws(PlanError) -> Value
}

/// The low-rank weights beside a projection: `[rank, in]` and `[out, rank]`.
struct AdapterWeights: Sendable {
  let down: Parameter
  let up: Parameter
  /// The norm of each row of the adapted weight, trained beside them (DoRA).
  var magnitude: Parameter?
}

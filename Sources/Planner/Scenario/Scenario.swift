/// One training run to plan: what a scenario file says, read and checked.
public struct Scenario: Sendable {
  /// What the report is called.
  public var name: String
  /// The model, by its family.
  public var model: Model
  /// How much goes through the model in one optimizer step.
  public var workload: Workload
  /// The number formats of weights and arithmetic.
  public var precision: Precision
  /// Whether autocast runs over weights that are kept in 16 bits.
  public var autocasts: Bool
  /// How attention is computed.
  public var attention: AttentionImplementation
  /// The optimizer with its settings.
  public var optimizer: any Optimizer
  /// The norm that gradients are clipped to, or `nil`.
  public var gradientClipping: Double?
  /// Techniques beyond precision, in the order of their stages.
  public var strategies: [any Strategy]
  /// The device that the run is planned for.
  public var device: Device
  /// How many of them there are, or `nil` for as many as the strategies use.
  public var devices: Int?
  /// What connects them.
  public var interconnect: Interconnect
  /// What the scenario did not say, and what was taken instead.
  public var defaults: [Assumption]
  /// How PyTorch's caching allocator is set.
  public var allocator: AllocatorSettings
  /// How the loss is computed.
  public var loss: LossImplementation
  /// Whose kernels run the parts of a layer and the loss.
  public var kernelSet: KernelSet
  /// Whose training loop, kernels and buffers are meant.
  public var framework: Framework
  /// What a run of Megatron chooses; of no meaning under other frameworks.
  public var megatron = MegatronOptions()
  /// What the host offers to the run, where the scenario says it.
  public var hostMemory: Bytes?
  /// How long the run is, and what it is reckoned with, where the scenario says it.
  public var run: RunSettings? = nil
  /// Prices that go ahead of the catalog's.
  public var prices = PriceList()
  /// Somebody's claim that the scenario puts to the test.
  public var claim: Claim? = nil

  /// Puts a scenario together from its parts.
  public init(
    name: String, model: Model, workload: Workload, precision: Precision = .bf16True,
    attention: AttentionImplementation = .sdpa, optimizer: any Optimizer = AdamW(),
    gradientClipping: Double? = nil, strategies: [any Strategy] = [], device: Device,
    devices: Int? = nil, defaults: [Assumption] = [], allocator: AllocatorSettings = .init(),
    loss: LossImplementation = .transformers, kernelSet: KernelSet = .torch,
    hostMemory: Bytes? = nil, interconnect: Interconnect? = nil, framework: Framework = .torch,
    autocasts: Bool = false
  ) {
    self.name = name
    self.model = model
    self.workload = workload
    self.precision = precision
    self.attention = attention
    self.optimizer = optimizer
    self.gradientClipping = gradientClipping
    self.strategies = strategies
    self.device = device
    self.interconnect = interconnect ?? Interconnect(of: device)
    self.devices = devices
    self.defaults = defaults
    self.allocator = allocator
    self.loss = loss
    self.kernelSet = kernelSet
    self.framework = framework
    self.autocasts = autocasts
    self.hostMemory = hostMemory
  }
}

/// A model to train: what it is called and the family that knows its layers.
public struct Model: Sendable {
  /// A catalog name, or the `model_type` of a config.
  public var name: String
  /// The architecture with its sizes.
  public var family: any ModelFamily
  /// What was taken for granted when its config was read.
  public var assumptions: [Assumption]

  /// Names an architecture.
  public init(name: String, family: any ModelFamily, assumptions: [Assumption] = []) {
    self.name = name
    self.family = family
    self.assumptions = assumptions
  }
}

/// How much goes through the model in one optimizer step, on one device.
public struct Workload: Hashable, Sendable {
  /// Sequences in one forward pass.
  public var microBatchSize: Int
  /// Tokens in each sequence; of an encoder-decoder in each that the encoder reads.
  public var sequenceLength: Int
  /// Tokens in each sequence that a decoder beside an encoder writes; as many if `nil`.
  public var targetSequenceLength: Int?
  /// Forward and backward passes before the optimizer steps.
  public var gradientAccumulationSteps: Int
  /// Whether the loop holds the model's output, and with it the logits, until the step ends.
  public var keepOutputs: Bool
  /// How tokens spread over a mixture's experts; evenly if `nil`.
  public var expertLoad: ExpertLoad?

  /// Describes a workload.
  public init(
    microBatchSize: Int, sequenceLength: Int, targetSequenceLength: Int? = nil,
    gradientAccumulationSteps: Int = 1, keepOutputs: Bool = false, expertLoad: ExpertLoad? = nil
  ) {
    self.microBatchSize = microBatchSize
    self.sequenceLength = sequenceLength
    self.targetSequenceLength = targetSequenceLength
    self.gradientAccumulationSteps = gradientAccumulationSteps
    self.keepOutputs = keepOutputs
    self.expertLoad = expertLoad
  }
}

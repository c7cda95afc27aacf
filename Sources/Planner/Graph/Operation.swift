/// A tensor of a forward pass that is being written: a register of the program, with its size.
struct Value: Hashable, Sendable {
  /// Where the running program keeps it.
  let register: Int32
  /// Its size.
  let spec: TensorSpec
}

/// A weight of the model.
struct Parameter: Sendable {
  /// Its name within the block: `self_attn.q_proj.weight`.
  let name: StaticString
  /// Its tensor.
  let value: Value
  /// Whether it receives a gradient.
  let trainable: Bool
}

/// One operation as PyTorch dispatches it: what autograd records for it.
///
/// The allocations of its forward are instructions of the program; this is what its backward needs.
struct Operation: Sendable {
  /// The operator: `mm`.
  var name: StaticString
  /// The module it runs in: `mlp.down_proj`.
  var module: StaticString
  /// Registers of its differentiable inputs, in PyTorch's order: a range of ``Program/registers``.
  var inputs = 0..<0
  /// Registers of its outputs that carry a gradient: a range of ``Program/registers``.
  var outputs = 0..<0
  /// What it saves before it runs: a range of ``Program/saves``.
  var savedInputs = 0..<0
  /// What it saves once it ran: a range of ``Program/saves``.
  var savedOutputs = 0..<0
  /// What its backward does: a range of ``Program/steps``.
  var steps = 0..<0
  /// Floating-point operations of the forward.
  var flops = 0
  /// The same without what a causal mask spares, as PyTorch's own counter has it (`torch.utils.flop_counter`); 0 where
  /// that is no other figure.
  var unmaskedFLOPs = 0
  /// Estimated time of the forward.
  var time = KernelTime.zero
  /// What the forward exchanges with other devices.
  var exchange: Exchange?
  /// What the backward exchanges.
  var backwardExchange: Exchange?
}

/// A tensor that an operation saves if a gradient needs it.
struct Save: Sendable {
  /// The tensor's register, or -1 where the training loop holds it.
  let register: Int32
  /// Bit k set: needed for the gradient of input k.
  let mask: UInt8
  /// The tensor's own size, which is not that of its memory where it is a view.
  let bytes: Int
  /// Whether its elements lie in another order than its shape: a transposed view.
  var isTransposed = false

  /// Saves a tensor of `bytes` that the program has no register for: what the loop holds anyway.
  init(bytes: Int, mask: UInt8) {
    register = -1
    self.mask = mask
    self.bytes = bytes
  }

  /// Saves `value` for the gradients of the inputs in `mask`.
  init(_ value: Value, mask: UInt8, bytes: Int? = nil) {
    register = value.register
    self.mask = mask
    self.bytes = bytes ?? value.spec.bytes
  }
}

/// One thing that an operation's backward does, in order.
struct BackwardStep: Sendable {
  enum Kind: UInt8, Sendable {
    /// Allocates the gradient of an input.
    case gradient
    /// Hands the incoming gradient on as the gradient of an input, without a copy.
    case pass
    /// Hands on a saved tensor, which the operator has overwritten, as the gradient of an input.
    case reuse
    /// Allocates a temporary.
    case allocate
    /// Frees a temporary.
    case free
    /// The operator has returned: what a checkpoint recomputed for it dies here.
    case settle
    /// Hands a temporary on as the gradient of an input.
    case share
    /// Replaces an input's gradient by its sum over broadcast dimensions.
    case reduce
    /// Replaces an input's gradient by a copy in the input's format or layout.
    case convert
  }

  let kind: Kind
  /// Skipped unless the running backward needs the gradient of one of these inputs.
  let mask: UInt8
  /// The input, or the temporary's number; for `pass`, the output in `extra`.
  let index: UInt8
  /// Whether the gradient is a view of a larger storage, which forbids adding to it in place.
  let view: Bool
  let role: Role
  let bytes: Int
  /// For `gradient` its own bytes where its storage has more, for `reduce` the bytes of its workspace, for `pass`
  /// the output whose gradient is handed on, for `reuse` which
  /// of the saved tensors, for `share` the temporary's number.
  var extra = 0
  /// Whether the gradient is a `DTensor`, which autograd never adds to in place.
  var wrapped = false
  /// Floating-point operations of this step.
  var flops = 0
  /// Estimated time of this step.
  var time = KernelTime.zero
}

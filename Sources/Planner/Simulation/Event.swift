/// One entry of a schedule.
struct Event: Hashable, Sendable {
  enum Kind: UInt8, Sendable {
    /// `count` tensors of `bytes` each are allocated; freed where `count` is negative.
    case memory
    /// A phase of the step begins; `count` is its number.
    case phase
    /// What follows, up to the matching end, happens `count` times.
    case repeatBegin
    /// Ends a repetition.
    case repeatEnd
    /// A layer begins; `bytes` is its index in the first repetition, `count` what each repetition adds.
    case layer
    /// The code around the layers goes on.
    case outside
    /// The weight with the number `count` is updated in backward; only where layers are not folded.
    case update
    /// The host waits before it asks for a gather, until no more than a few gathered tensors can be in use.
    case hostWait
    /// What was gathered, the storage, is not needed any more: a later ``hostWait`` waits for this place.
    case hostMark
  }

  var kind: Kind
  var role: Role = .other
  /// Whether a checkpoint recomputes.
  var again = false
  /// The CUDA stream whose pool of the allocator the memory comes from.
  ///
  /// Of a release, one more than the stream that may
  /// still read it (`record_stream`); 0 where none does.
  var stream: UInt8 = 0
  var count: Int32 = 0
  /// The operation, as an index into ``Program/operations``; negative for ``Moment``.
  var operation: Int32 = -1
  /// What ties a release to its allocation: the tape's storage, or ``unnamed`` or ``lasting``.
  var storage: Int32 = Self.unnamed
  var bytes = 0

  /// The first that was allocated of those of this size that are left is freed first.
  static let unnamed: Int32 = -1
  /// The last that was allocated of those of this size that are left is freed first.
  static let newest: Int32 = -3
  /// Not a tensor of its own: memory that is freed later than its tensors, which the allocator sees for itself.
  static let lingering: Int32 = -4
  /// Nothing frees it.
  static let lasting: Int32 = -2
}

/// Places in a step that are not an operation of the model.
enum Moment: Int32, Sendable, CaseIterable {
  case resident = -1
  case batch = -2
  case lossGradient = -3
  case accumulation = -4
  case clipping = -5
  case optimizerStep = -6
  case end = -7
  case phaseStart = -8
  case checkpoint = -9
  case allGather = -10
  case reduceScatter = -11
  case bucket = -12
  case received = -13
  case sentGradient = -14

  /// What the report calls it.
  var text: String {
    switch self {
    case .resident: "weights and optimizer state"
    case .batch: "token ids"
    case .lossGradient: "gradient of the loss"
    case .accumulation: "gradient accumulation"
    case .clipping: "gradient clipping"
    case .optimizerStep: "optimizer step"
    case .end: "end of the step"
    case .phaseStart: "start of the phase"
    case .checkpoint: "gradient of a checkpointed layer"
    case .allGather: "all-gather of parameters"
    case .reduceScatter: "reduce-scatter of gradients"
    case .bucket: "gradient bucket"
    case .received: "what another stage sent"
    case .sentGradient: "gradient for the stage before"
    }
  }
}

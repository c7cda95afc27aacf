/// What the ranks of a pipeline need, and how long they wait.
public struct PipelineUse: Hashable, Sendable {
  /// The schedule's name.
  public var schedule: String
  /// Micro-batches of a step.
  public var microBatches: Int
  /// Ranks that differ, in the order of their first one.
  public var stages: [Stage]
  /// The rank that needs most, whose peak is the report's.
  public var binding: Int
  /// The share of the step in which the rank that works longest waits for others.
  public var bubble: Double
  /// Estimated time of forward and backward of all micro-batches, waiting included.
  public var seconds: Seconds

  /// Ranks that need the same.
  public struct Stage: Hashable, Sendable {
    /// These ranks.
    public var ranks: [Int]
    /// Their parts of the model, each a range of layers.
    public var parts: [Part]
    /// The most forward passes that wait for their backward.
    public var inFlight: Int
    /// Bytes of live tensors at their highest point.
    public var live: Bytes
    /// The same in each phase.
    public var phases: [Bytes]
    /// What the caching allocator holds, where it was replayed.
    public var reserved: Bytes?
    /// What the device must offer, where the allocator was replayed.
    public var device: Bytes?

    /// How many layers they have.
    public var layers: Int { parts.reduce(0) { $0 + $1.layers.count } }
  }

  /// Consecutive layers.
  public struct Part: Hashable, Sendable {
    /// The layers, counted through the model.
    public var layers: Range<Int>
    /// Whether what precedes the layers is with it.
    public var hasEmbedding: Bool
    /// Whether what follows the layers is with it.
    public var hasHead: Bool
  }
}

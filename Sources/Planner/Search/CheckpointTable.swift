/// The checkpointing policies of a scenario side by side, and those to choose from.
public struct CheckpointTable: Sendable {
  /// One policy with what it comes to.
  public struct Plan: Sendable {
    /// The policy.
    public var checkpointing: ActivationCheckpointing
    /// Bytes of live tensors at the highest point of the step.
    public var live: Bytes
    /// The phase that has it.
    public var phase: Phase
    /// What recomputation costs.
    public var recompute: Report.Recompute
    /// The expected time of one step, in seconds.
    public var seconds: Double
    /// Whether no other policy is as fast with less memory, or needs as little in less time.
    public var isOnFront = false
    /// Expected seconds of its kernels, without those that run again.
    var kernels: Double
    /// The same tensors, each rounded up to the allocator's 512 bytes.
    var allocated: Bytes
  }

  /// A plan that was tried on the device.
  public struct Choice: Sendable {
    /// The plan.
    public var plan: Plan
    /// Its report: what the allocator holds, and where the peak is.
    public var report: Report
    /// The least share of the step's time that any schedule of recomputation adds with as many live bytes.
    public var bound: Double?
  }

  /// What keeps the least memory from being less.
  public enum Limit: String, Hashable, Sendable {
    /// The optimizer's step: no activation is alive there.
    case optimizer
    /// What lies outside the layers: the embedding, the head and the loss.
    case outsideLayers = "outside_layers"
    /// One layer's backward, and the inputs of all others.
    case layers
  }

  /// The scenario's name.
  public var name: String
  /// The device's name.
  public var device: String
  /// What a process may take of it, in bytes.
  public var capacity: Bytes
  /// How many layers the model has.
  public var layers: Int
  /// Every policy: none, `first` with every number, `every` with every interval, all layers.
  public var plans: [Plan]
  /// Each selective option for all layers.
  public var selective: [Plan]
  /// What a minimum cut keeps, in all layers: one plan for each memory budget that keeps other values.
  public var cuts: [Plan]
  /// The fastest that fits, by the allocator's verdict.
  public var recommended: Choice?
  /// The fastest that fits with a tenth of the memory to spare.
  public var withSlack: Choice?
  /// The fastest mixture of two options over the layers that fits, selective ones included.
  public var mixture: Choice?
  /// The fastest that fits of these, of whole layers and of mixtures of two that lie side by side.
  public var cut: Choice?
  /// The one with the least memory, fitting or not.
  public var least: Choice
  /// What keeps ``least`` from being less.
  public var limit: Limit
  /// Where nothing fits: changes with which it would, each planned for real.
  public var remedies: [Remedy]

  /// The plan without checkpointing.
  public var without: Plan { plans[0] }
  /// Plans that no other one beats, the fastest first.
  public var front: [Plan] {
    plans.filter(\.isOnFront).sorted { ($0.seconds, $0.live) < ($1.seconds, $1.live) }
  }
  /// Whether any policy lowers the peak.
  public var helps: Bool { least.plan.live < without.live }
}

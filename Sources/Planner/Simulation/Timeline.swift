/// One training step laid out in time: what runs when, and what is alive.
///
/// It is the second step, as the report counts it. Times are estimates: an operation takes as long as the device's peak
/// rates and bandwidth allow, what has no such estimate as long as its result takes to write, and the optimizer at
/// least as long as its gradients, weights and states take to read and write. Every change of memory comes a moment
/// after the one before, so that their order shows.
public struct Timeline: Sendable {
  /// What is allocated, or freed where `bytes` is negative.
  struct Change: Sendable {
    /// Since the step began, in seconds.
    var time: Double
    var bytes: Int
    var role: Role
    /// The place in ``places``.
    var place: Int32
    /// The command of the script's second step that it is.
    var command: Int32
  }

  /// A stretch of time with a name.
  struct Slice: Sendable {
    enum Kind: Int, Sendable { case phase, layer, operation }
    var kind: Kind
    var name: String
    var start: Double
    var end: Double
    /// Whether a checkpoint recomputes.
    var again = false
  }

  /// Where in the step something happens.
  struct Place: Hashable, Sendable {
    var phase: Phase
    /// The layer, counted from 0, or -1 outside the layers.
    var layer: Int
    /// As ``Event/operation``.
    var operation: Int32
    var again: Bool
  }

  /// One number of bytes for each role.
  typealias Roles = SIMD8<Int>

  /// The scenario's name.
  public internal(set) var name: String
  /// How long the step takes, in seconds.
  public internal(set) var duration = 0.0
  /// What to know about it.
  public var notes: [String] = []
  /// What is alive when the step begins.
  var start = Roles()
  /// Every allocation and release in order.
  var changes: ContiguousArray<Change> = []
  /// The phases, the layers in them, the operations in these; ordered by their start, the longer one first.
  var slices: [Slice] = []
  var places: [Place] = []
  /// The model, for names.
  let graph: LayerGraph
  /// What the allocator is asked to do.
  let script: ReplayScript
  /// The change after which most is alive, or -1.
  private(set) var peak = -1
  /// Bytes alive then.
  private(set) var peakBytes = 0

  init(name: String, graph: LayerGraph, script: ReplayScript) {
    self.name = name
    self.graph = graph
    self.script = script
  }

  /// How many allocations and releases the step has.
  public var count: Int { changes.count }

  /// The most that is alive at once, in bytes.
  public var highest: Bytes { Bytes(peakBytes) }

  /// Finds the peak.
  mutating func findPeak() {
    var live = start.wrappedSum()
    (peak, peakBytes) = (-1, live)
    for (index, change) in changes.enumerated() {
      live &+= change.bytes
      if live > peakBytes { (peak, peakBytes) = (index, live) }
    }
  }

  /// The roles that the step has anything of.
  var presentRoles: [Role] {
    var isPresent = Roles()
    for role in Role.allCases where start[Int(role.rawValue)] != 0 {
      isPresent[Int(role.rawValue)] = 1
    }
    for change in changes { isPresent[Int(change.role.rawValue)] = 1 }
    return Role.allCases.filter { isPresent[Int($0.rawValue)] == 1 }
  }

  /// For each of `count` commands of the second step, the change that it makes.
  func changes(ofCommands count: Int) -> [Change?] {
    var found = [Change?](repeating: nil, count: count)
    for change in changes where Int(change.command) < count { found[Int(change.command)] = change }
    return found
  }

  /// What a place is called: "layer 3: mlp.down_proj, mm (recomputed)".
  func text(of place: Place) -> String {
    let layer = place.layer >= 0 ? graph.name(ofLayer: place.layer) + ": " : ""
    return layer + operationText(place.operation) + (place.again ? " (recomputed)" : "")
  }

  /// What an operation is called: "mlp.down_proj, mm".
  func operationText(_ operation: Int32) -> String {
    guard operation >= 0, Int(operation) < graph.program.operations.count else {
      return Moment(rawValue: operation)?.text ?? "start of the phase"
    }
    let found = graph.program.operations[Int(operation)]
    return "\(found.module), \(found.name)"
  }
}

extension LayerGraph {
  /// "layer 31", or "decoder layer 7" of a model with several stacks, each counted from 0.
  func name(ofLayer layer: Int) -> String {
    var first = 0
    for stack in stacks where firstLayer == 0 {
      if layer < first + stack.layers {
        return (stack.name.isEmpty ? "" : stack.name + " ") + "layer \(layer - first)"
      }
      first += stack.layers
    }
    return "layer \(layer)"
  }
}

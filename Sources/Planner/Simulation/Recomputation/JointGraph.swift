/// A block's forward and what its backward needs of it, operator by operator: what a partitioner cuts in two.
///
/// Forward operators are *claimed* where the block's result needs them; what only backward reads, such as the
/// statistics of a norm, is *unclaimed*. Of backward only the operators that read forward values are here.
///
/// Source: `classify_nodes` in PyTorch 2.11's `torch/_functorch/partitioners.py`.
struct JointGraph {
  /// What the partitioner knows of an operator.
  struct Traits: OptionSet, Hashable, Sendable {
    let rawValue: UInt8
    /// A fused kernel can have it inside.
    static let fusible = Self(rawValue: 1)
    /// It may be computed again (`recomputable_ops`).
    static let listed = Self(rawValue: 2)
    /// Its result is another view of its input (`view_ops`).
    static let view = Self(rawValue: 4)
    /// It is a product, a convolution or attention (`compute_intensive_ops`).
    static let intensive = Self(rawValue: 8)
    /// It draws random numbers (`random_ops`).
    static let random = Self(rawValue: 16)
    /// It can be fused into as a consumer, whatever comes before (`cat`).
    static let joins = Self(rawValue: 32)
    /// It picks one of several results (`getitem`).
    static let element = Self(rawValue: 64)
    /// It has several results, of which only the picked ones can be kept.
    static let several = Self(rawValue: 128)

    /// An operator on single elements.
    static let pointwise: Self = [.fusible, .listed]
    /// An operator that only changes how memory is read.
    static let viewing: Self = [.fusible, .listed, .view]
  }

  /// Where an operator belongs.
  enum Part: UInt8, Sendable { case input, claimed, unclaimed, backward }

  /// One operator, or an input.
  struct Node: Sendable {
    var name: StaticString
    var part: Part
    var traits: Traits
    /// The bytes of its result, or of all its results.
    var bytes: Int
    var inputs: ContiguousArray<Int> = []
    var users: ContiguousArray<Int> = []
    /// Floating-point operations, without what a causal mask spares.
    var flops = 0
    /// The register of the program whose memory has its result, or -1.
    var register: Int32 = -1
    /// Steps to the nearest operator that is not claimed.
    var distance = Self.never
    /// Its place among the inputs and the claimed operators.
    var order = 0

    /// Beyond all steps: nothing but the block's result needs it.
    static let never = 1_000_000_000

    /// Whether it runs in forward whatever is kept.
    var isForward: Bool { part == .input || part == .claimed }
  }

  /// Inputs first, then operators, each behind what it reads.
  private(set) var nodes: ContiguousArray<Node> = []

  /// The inputs: the block's weights and what it is called with.
  var inputs: [Int] { nodes.indices.filter { nodes[$0].part == .input } }

  /// Adds an operator or an input.
  mutating func add(
    _ name: StaticString, _ part: Part, _ traits: Traits = [], bytes: Int,
    inputs: [Int] = [], flops: Int = 0, register: Int32 = -1
  ) -> Int {
    let index = nodes.count
    nodes.append(
      Node(
        name: name, part: part, traits: traits, bytes: bytes, inputs: ContiguousArray(inputs),
        flops: flops, register: register))
    for (place, input) in inputs.enumerated() where !inputs[..<place].contains(input) {
      nodes[input].users.append(index)
    }
    return index
  }

  /// Claims what the results need, and says how far everything is from backward.
  mutating func finish(results: [Int]) {
    var needed = Array(repeating: false, count: nodes.count)
    for result in results { needed[result] = true }
    for index in nodes.indices.reversed() where needed[index] {
      for input in nodes[index].inputs { needed[input] = true }
    }
    for index in nodes.indices where nodes[index].part == .claimed && !needed[index] {
      nodes[index].part = .unclaimed
    }
    var order = 0
    for index in nodes.indices where nodes[index].isForward {
      nodes[index].order = order
      order += 1
    }
    for index in nodes.indices.reversed() {
      guard nodes[index].isForward else {
        nodes[index].distance = 0
        continue
      }
      for user in nodes[index].users {
        nodes[index].distance = min(nodes[index].distance, nodes[user].distance + 1)
      }
    }
  }

  /// Whether one kernel can run both.
  func fuses(_ first: Int, _ second: Int) -> Bool {
    if nodes[second].traits.contains(.joins) { return true }
    return nodes[first].traits.contains(.fusible) && nodes[second].traits.contains(.fusible)
  }
}

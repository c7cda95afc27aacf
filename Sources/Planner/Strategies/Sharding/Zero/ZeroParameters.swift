/// The parameters of a model one by one, and which layer is running.
struct ZeroParameters {
  /// A parameter, in the order of `model.parameters()`.
  struct Parameter {
    /// Of the tensor that is cut, which is bytes where the weight is quantized.
    var elements: Int
    /// Bytes of an element of the tensor that is cut.
    var size: Int
    var trainable: Bool
    /// The bytes of each tensor that holds it.
    var tensors: [Int]
    /// Whether an `nn.Linear` has it.
    var isLinear = false
    /// The bytes of each tensor of its quantization state, which is no parameter and stays whole.
    var beside: ArraySlice<Int> { tensors.dropFirst() }
  }

  private(set) var all: [Parameter] = []
  /// For each leaf of the program: the parameters of the layers that have it, from the first layer on.
  private var places: [[Int]]
  /// The layers that ran: their section, and how many layers of that section ran before.
  private var ran: [(section: Int, turn: Int)] = []
  private var turns: [Int]
  /// For each leaf of the program, whether an `nn.Linear` has it.
  private let linear: [Bool]

  init(_ program: Program) {
    places = Array(repeating: [], count: program.leaves.count)
    turns = Array(repeating: 0, count: program.sections.count)
    let names = program.leaves.map { $0.name.description }
    var weights: Set<String> = []
    for (name, leaf) in zip(names, program.leaves)
    where leaf.isMultiplied && !name.hasSuffix("mlp.gate.weight") {
      weights.insert(name)
    }
    linear = names.map {
      weights.contains($0)
        || $0.hasSuffix(".bias") && weights.contains($0.dropLast("bias".count) + "weight")
    }
  }

  /// Takes every weight of every layer.
  mutating func fill(_ weights: [TrainingStep.Weight]) {
    guard all.isEmpty else { return }
    for weight in weights where weight.count > 0 {
      places[weight.leaf].append(all.count)
      let isPacked = weight.tensors.count > 1
      all.append(
        Parameter(
          elements: isPacked ? weight.tensors[0] : weight.spec.elements,
          size: isPacked ? 1 : weight.spec.dtype.size,
          trainable: weight.trainable, tensors: weight.tensors, isLinear: linear[weight.leaf]))
    }
  }

  /// Throws where all together are more than a plan can hold.
  func checkTotal() throws(PlanError) {
    var total = 0
    for parameter in all {
      let (sum, overflow) = total.addingReportingOverflow(parameter.elements)
      guard !overflow, sum <= TensorSpec.limit / 8 else {
        throw .overflow("elements", "the sum of all parameters")
      }
      total = sum
    }
  }

  /// The parameter that a leaf of the running layer, or of the model around the layers, is.
  func index(of leaf: Int) -> Int {
    let places = places[leaf]
    guard places.count > 1, let layer = ran.last, layer.turn < places.count else {
      return places.first ?? 0
    }
    return places[layer.turn]
  }

  /// For each parameter, whether the leaf of the program that it is meets a condition.
  func marked(where condition: (Int) -> Bool) -> [Bool] {
    var marks = Array(repeating: false, count: all.count)
    for leaf in places.indices where condition(leaf) {
      for parameter in places[leaf] { marks[parameter] = true }
    }
    return marks
  }

  /// A micro-batch begins.
  mutating func begin() {
    ran.removeAll(keepingCapacity: true)
    for section in turns.indices { turns[section] = 0 }
  }

  /// A layer is about to run forward.
  mutating func enter(_ section: Int) {
    guard section > 0 else { return }
    ran.append((section, turns[section]))
    turns[section] += 1
  }

  /// Backward has left a layer.
  mutating func leave(_ section: Int) {
    if section > 0, !ran.isEmpty { ran.removeLast() }
  }
}

/// All trained parameters of a model in one flat tensor, cut in equal parts; all figures are elements.
///
/// Source: `DeepSpeedZeroOptimizer.__init__`, `get_partition_info`, `average_tensor` in
/// `deepspeed/runtime/zero/stage_1_and_2.py`, DeepSpeed 0.19.8.
struct ZeroFlatGroup {
  /// The flat tensor, aligned so that each part begins at a multiple of 4 bytes.
  private(set) var aligned = 0
  /// One part.
  private(set) var share = 0
  /// The most that the parameters which a part begins, ends or lies in have together.
  private(set) var owned = 0
  /// The largest parameter.
  private(set) var largest = 0
  /// The largest piece of a parameter in any part.
  var largestSlice: Int { min(largest, share) }
  /// The parameters in the order of the flat tensor's making: that of `model.parameters()`.
  private(set) var order: [Int] = []
  /// Where each parameter begins, by its number.
  private var starts: [Int] = []
  private var elements: [Int] = []

  init() {}

  init(_ all: [ZeroParameters.Parameter], _ settings: Zero) throws(PlanError) {
    order = all.indices.filter { all[$0].trainable }
    elements = all.map(\.elements)
    var total = 0
    for index in order {
      let (sum, overflow) = total.addingReportingOverflow(elements[index])
      guard !overflow, sum <= TensorSpec.limit / 8 else {
        throw .overflow("elements", "the sum of all trained parameters")
      }
      total = sum
      largest = max(largest, elements[index])
    }
    let step = 2 * settings.shards
    aligned = (total + step - 1) / step * step
    share = aligned / settings.shards
    let laid = settings.roundRobin ? Self.inTurns(order, settings.shards) : order
    starts = Array(repeating: 0, count: all.count)
    var at = 0
    for index in laid {
      starts[index] = at
      at += elements[index]
    }
    owned = Self.owned(laid, starts, elements, share)
  }

  /// Every rank's first parameter, every rank's second one and so on, rank after rank.
  private static func inTurns(_ order: [Int], _ ranks: Int) -> [Int] {
    var laid: [Int] = []
    for rank in 0..<min(ranks, order.count) {
      var turn = rank
      while turn < order.count {
        laid.append(order[turn])
        turn += ranks
      }
    }
    return laid
  }

  /// For each parameter that a part begins in: the part that begins there last reaches furthest.
  private static func owned(_ laid: [Int], _ starts: [Int], _ elements: [Int], _ share: Int) -> Int
  {
    guard share > 0 else { return 0 }
    var most = 0
    var (last, sum) = (0, 0)
    for (position, first) in laid.enumerated() {
      let end = starts[first] + elements[first]
      let begin = (end - 1) / share * share
      if begin >= starts[first] {
        while last < laid.count, starts[laid[last]] < begin + share {
          sum += elements[laid[last]]
          last += 1
        }
        // The part that begins in a parameter first holds the most of those that lie in it.
        most = max(most, sum)
      }
      if position < last { sum -= elements[first] } else { last = position + 1 }
    }
    return most
  }

  /// Whether the first rank owns a piece of the parameter.
  func isFirst(_ parameter: Int) -> Bool { starts[parameter] < share }

  /// Whether the last rank owns a piece of the parameter.
  func isLast(_ parameter: Int) -> Bool {
    starts[parameter] + elements[parameter] > aligned - share
  }

  /// Pieces of gradients that are reduced together.
  struct Reduction {
    /// Elements of all of them.
    var elements = 0
    /// How many they are: more than one are copied to one tensor.
    var pieces = 0
    /// Elements of the largest.
    var largest = 0
  }

  /// How the gradients `parameters` are reduced.
  ///
  /// - Parameter apart: Whether pieces of one owner that follow each other stay apart, since each has a place of its own.
  func reductions(_ parameters: [Int], upTo limit: Int, apart: Bool) -> [Reduction] {
    var reductions: [Reduction] = []
    var together = Reduction()
    for piece in pieces(parameters, apart: apart) {
      together.elements += piece
      together.pieces += 1
      together.largest = max(together.largest, piece)
      guard together.elements > limit else { continue }
      reductions.append(together)
      together = Reduction()
    }
    if together.pieces > 0 { reductions.append(together) }
    return reductions
  }

  /// The gradients `parameters` one behind the other, cut where another rank owns them.
  private func pieces(_ parameters: [Int], apart: Bool) -> [Int] {
    var pieces: [Int] = []
    var owner = -1
    for parameter in parameters {
      if apart { owner = -1 }
      var at = starts[parameter]
      let end = at + elements[parameter]
      while at < end {
        let part = at / max(share, 1)
        let stop = min(end, (part + 1) * share)
        if part == owner {
          pieces[pieces.count - 1] += stop - at
        } else {
          pieces.append(stop - at)
        }
        (owner, at) = (part, stop)
      }
    }
    return pieces
  }
}

extension TrainingStep.Weight {
  /// A rank's flat share in the format of its master weights.
  static func flat(_ elements: Int, _ format: DType) throws(PlanError) -> Self {
    let spec = try TensorSpec(1, elements, format)
    return Self(
      name: "flat", spec: spec, tensors: [spec.bytes], trainable: true, count: 1, section: 0)
  }
}

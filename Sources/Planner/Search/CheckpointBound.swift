/// The least time that any schedule of recomputation spends, for each memory: what the plans are held against.
///
/// A layer's sizes are read off a step of three layers, option by option; ``CheckpointChain`` then finds the best of
/// all schedules of the whole model, those included that no framework runs. Sizes are rounded down to slots, so that
/// the result stays a bound.
struct CheckpointBound {
  private let least: [Double]
  private let slot: Int
  /// Bytes that are alive beside what the layers keep, whatever the schedule.
  private let base: Int

  /// The share of the step's arithmetic that is computed again at least, with `bytes` of live tensors.
  ///
  /// - Returns: `nil` where no schedule needs so little.
  func fraction(within bytes: Bytes) -> Double? {
    let room = bytes.count - base
    guard room >= 0 else { return nil }
    let time = least[min(room / slot, least.count - 1)]
    return time.isFinite ? time : nil
  }

  /// The most slots, which bounds the time that the search takes.
  private static let mostSlots = 384

  /// The bound of a scenario; `nil` where its layers are not all of one kind.
  ///
  /// - Parameters:
  ///   - options: What can become of a layer.
  ///   - seconds: Time of a step's arithmetic without recomputation.
  ///   - most: The most live bytes that will be asked for.
  init?(
    _ search: CheckpointSearch, options: [LayerOption], layers: Int, seconds: Double, most: Bytes
  ) throws(PlanError) {
    guard layers >= 3, seconds > 0 else { return nil }
    var sizes: [LayerSizes] = []
    let found = Parallel.map(options.count) { index in
      Result { () throws(PlanError) in try LayerSizes(search, options[index]) }
    }
    for one in found {
      guard let one = try one.get() else { return nil }
      sizes.append(one)
    }
    guard let full = try LayerSizes(search, .full, earlyStop: false), full.kept > 0 else {
      return nil
    }
    base = sizes.map(\.base).min().map { $0 + (layers - 3) * full.resident } ?? 0
    let room = max(0, most.count - base)
    let slot = max(full.kept / 4, room / Self.mostSlots, 1)
    let chain = CheckpointChain(
      options: sizes.map {
        .init(kept: $0.kept / slot, working: $0.working / slot, again: $0.again)
      },
      boundary: full.kept / slot, forward: full.again,
      head: (sizes.map(\.head).min() ?? 0) / slot)
    self.slot = slot
    // The first layer may compute less again than the others: nothing wants the gradient of its input.
    let less = sizes.map(\.lessAtTheEdges).max() ?? 0
    least = chain.least(layers: layers, memory: room / slot).map {
      max(0, $0 - less) / seconds
    }
  }
}

/// What one layer takes with an option, read off a step of three layers.
private struct LayerSizes {
  /// Bytes alive before the first layer: weights, states, what the model makes ahead of its layers.
  var base = 0
  /// Bytes of one layer's weights and states.
  var resident = 0
  /// Bytes that a layer keeps from forward to backward, its result included.
  var kept = 0
  /// The most bytes alive in a layer's backward beside what the layers before it keep.
  var working = 0
  /// The most bytes alive behind the last layer beside what all layers keep.
  var head = 0
  /// Seconds that a layer's backward computes again.
  var again = 0.0
  /// Seconds that the first and the last layer compute less again than two others.
  var lessAtTheEdges = 0.0

  init?(_ search: CheckpointSearch, _ option: LayerOption, earlyStop: Bool = true)
    throws(PlanError)
  {
    guard let three = try search.step(of: 3, option, earlyStop: earlyStop),
      let two = try search.step(of: 2, option, earlyStop: earlyStop)
    else { return nil }
    again = three.work.recomputedTime.seconds - two.work.recomputedTime.seconds
    lessAtTheEdges = max(0, 2 * again - two.work.recomputedTime.seconds)
    let marks = Marks(three.schedule)
    base = marks.entry
    resident = marks.resident - Marks(two.schedule).resident
    kept = marks.forward[2] - marks.forward[1]
    working = min(marks.backward[1] - base - kept, marks.backward[2] - base - 2 * kept)
    head = marks.head - base - 3 * kept
  }
}

/// Bytes alive at places of a step of three layers or fewer.
private struct Marks {
  /// When the step begins.
  var resident = 0
  /// When the first layer begins.
  var entry = 0
  /// When each layer begins.
  var forward = [0, 0, 0]
  /// The most within each layer's backward.
  var backward = [0, 0, 0]
  /// The most between the last layer's forward and its backward.
  var head = 0

  init(_ schedule: Schedule) {
    var (live, layer) = (0, -1)
    var phase = Int32(-1)
    var began = false
    for event in schedule.events {
      switch event.kind {
      case .memory: live &+= event.bytes &* Int(event.count)
      case .phase:
        phase = event.count
        if phase == 0 { resident = live }
        layer = -1
      case .layer:
        layer = min(max(event.bytes, 0), 2)
        if phase == 0 {
          if !began { entry = live }
          began = true
          forward[layer] = live
        }
      case .outside: layer = -1
      case .repeatBegin, .repeatEnd, .update, .hostWait, .hostMark: break
      }
      if phase == 1, layer >= 0 { backward[layer] = max(backward[layer], live) }
      if began, layer < 0, phase < 2, backward[2] == 0 { head = max(head, live) }
    }
  }
}

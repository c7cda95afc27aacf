/// When each pass of a pipeline runs, if each takes the time of its arithmetic and waits for what it is sent.
struct PipelineClock {
  /// From the first pass to the last, in seconds.
  private(set) var seconds = 0.0
  /// The share of that in which the rank that works longest waits.
  private(set) var bubble = 0.0

  /// Runs a schedule.
  ///
  /// A long step is taken to grow by as much with each micro-batch as one of a few rounds does.
  ///
  /// - Parameters:
  ///   - times: Each rank's passes, part by part.
  ///   - delay: What sending one activation or its gradient takes, in seconds.
  init(
    _ pipeline: PipelinePlan, layers: Int, times: [[PassTimes]], delay: Double
  ) throws(PlanError) {
    let (shape, all) = (pipeline.shape, pipeline.shape.microBatches)
    let round = 2 * shape.degree
    let least = 4 * round + all % round
    guard all > least + round,
      let short = try? Self.run(pipeline, least, layers, times, delay),
      let long = try? Self.run(pipeline, least + round, layers, times, delay)
    else {
      let run = try Self.run(pipeline, all, layers, times, delay)
      set(run.total, run.busy)
      return
    }
    let rounds = Double(all - least) / Double(round)
    set(
      short.total + rounds * (long.total - short.total),
      short.busy + rounds * (long.busy - short.busy))
  }

  private mutating func set(_ total: Double, _ busy: Double) {
    seconds = total
    bubble = total > 0 ? max(0, 1 - busy / total) : 0
  }

  private static func run(
    _ pipeline: PipelinePlan, _ microBatches: Int, _ layers: Int, _ times: [[PassTimes]],
    _ delay: Double
  ) throws(PlanError) -> (total: Double, busy: Double) {
    var shape = pipeline.shape
    shape.microBatches = microBatches
    var pipeline = pipeline
    pipeline.shape = shape
    pipeline.schedule = try type(of: pipeline.schedule).init(shape)
    var race = try Race(pipeline, layers, times, delay)
    return race.run()
  }
}

/// The passes of all ranks, each as early as what it waits for allows.
private struct Race {
  private let lists: [[PipelineAction]]
  private let times: [[PassTimes]]
  private let delay: Double
  /// The place of each rank's parts in the model: direction and number.
  private let places: [[(direction: Int, part: Int)]]
  private let parts: Int
  private var at: [Int]
  private var clocks: [Double]
  private var counts: [[[Int]]]
  /// When each micro-batch's forward and backward of each part ended, by direction.
  private var forward: [[[Double]]]
  private var backward: [[[Double]]]

  init(
    _ pipeline: PipelinePlan, _ layers: Int, _ times: [[PassTimes]], _ delay: Double
  ) throws(PlanError) {
    let stages = try pipeline.stages(layers: layers)
    lists = stages.map(\.order.unfolded)
    (self.times, self.delay, parts) = (times, delay, pipeline.stagesOfModel)
    let (degree, last) = (pipeline.shape.degree, pipeline.stagesOfModel - 1)
    let placement = type(of: pipeline.schedule).placement
    places = stages.map { stage in
      stage.chunks.indices.map { chunk in
        switch placement {
        case .loop: (0, stage.rank + chunk * degree)
        case .v: (0, chunk == 0 ? stage.rank : last - stage.rank)
        case .bothWays:
          (
            (chunk == 0) == (stage.rank < degree / 2) ? 0 : 1,
            chunk == 0 ? min(stage.rank, last - stage.rank) : max(stage.rank, last - stage.rank)
          )
        }
      }
    }
    at = Array(repeating: 0, count: stages.count)
    clocks = Array(repeating: 0, count: stages.count)
    counts = stages.map { $0.chunks.map { _ in [0, 0] } }
    let none: [[Double]] = Array(repeating: [], count: parts)
    forward = [none, none]
    backward = [none, none]
  }

  /// Runs all passes; the busiest rank's own time stands beside the whole.
  mutating func run() -> (total: Double, busy: Double) {
    var moved = true
    while moved {
      moved = false
      for rank in lists.indices {
        while at[rank] < lists[rank].count, step(rank) {
          at[rank] += 1
          moved = true
        }
      }
    }
    let busy = lists.indices.map { rank in lists[rank].reduce(0) { $0 + time($1, rank) } }
    return (clocks.max() ?? 0, busy.max() ?? 0)
  }

  private func time(_ action: PipelineAction, _ rank: Int) -> Double {
    let passes = times[rank][action.chunk]
    // Half of a backward's products are for weights.
    return switch action.kind {
    case .forward: passes.forward
    case .backward: passes.backward
    case .inputBackward, .weightBackward: passes.backward / 2
    }
  }

  /// One pass of a rank; `false` where what it needs has not been sent.
  private mutating func step(_ rank: Int) -> Bool {
    let action = lists[rank][at[rank]]
    let (direction, part) = places[rank][action.chunk]
    var ready = clocks[rank]
    let kind = action.kind == .forward ? 0 : 1
    let number = counts[rank][action.chunk][kind]
    switch action.kind {
    case .forward where part > 0:
      guard number < forward[direction][part - 1].count else { return false }
      ready = max(ready, forward[direction][part - 1][number] + delay)
    case .backward where part < parts - 1, .inputBackward where part < parts - 1:
      guard number < backward[direction][part + 1].count else { return false }
      ready = max(ready, backward[direction][part + 1][number] + delay)
    case .backward, .inputBackward:
      guard number < forward[direction][part].count else { return false }
    case .forward, .weightBackward: break
    }
    let end = ready + time(action, rank)
    clocks[rank] = end
    guard action.kind != .weightBackward else { return true }
    counts[rank][action.chunk][kind] += 1
    if kind == 0 {
      forward[direction][part].append(end)
    } else {
      backward[direction][part].append(end)
    }
    return true
  }
}

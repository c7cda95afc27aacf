/// Writes the passes of a rank into one schedule.
struct PipelineEmission {
  private let runs: [PartRun]
  /// What has been written.
  var schedule = Schedule()
  /// How many micro-batches go through each part.
  let microBatches: [Int]
  /// How many of them have a split backward.
  private let splitMicroBatches: [Int]
  private let unrolls: Bool
  /// Whether each micro-batch's backward is split, part by part.
  private let splits: [[Bool]]
  /// How many forward and backward passes each part has had.
  private var forwards: [Int] = []
  private var backwards: [Int] = []
  /// Micro-batches of each part whose weights wait for their gradients.
  private var waiting: [[Int]] = []
  /// The first number of each part's storages.
  private var bases: [Int32] = []
  /// The first number of each micro-batch's own storages, part by part.
  private var instances: [[Int32]] = []
  private var next: Int32 = 0
  private var keptForOthers: [(Int, Role, Int32)] = []

  init(_ order: PipelineOrder, _ runs: [PartRun], unrolls: Bool) {
    self.runs = runs
    self.unrolls = unrolls
    func count(_ kind: PipelineAction.Kind) -> [Int] {
      runs.indices.map { chunk in
        order.pieces.reduce(0) { sum, piece in
          sum + piece.count * piece.actions.count { $0.kind == kind && $0.chunk == chunk }
        }
      }
    }
    microBatches = count(.forward)
    splitMicroBatches = count(.inputBackward)
    splits = runs.indices.map { chunk in
      var splits: [Bool] = []
      for piece in order.pieces {
        let backward = piece.actions.filter {
          $0.chunk == chunk && ($0.kind == .backward || $0.kind == .inputBackward)
        }
        for _ in 0..<(backward.isEmpty ? 0 : Self.copies(of: piece, unrolls: unrolls)) {
          splits += backward.map { $0.kind == .inputBackward }
        }
      }
      return splits
    }
    forwards = runs.map { _ in 0 }
    backwards = forwards
    waiting = runs.map { _ in [] }
    var base: Int32 = 0
    for run in runs {
      bases.append(base)
      base += Int32(truncatingIfNeeded: run.tape.storages.count)
      instances.append([])
    }
    // Residents of all parts come first.
    next = base
    for chunk in runs.indices { append(runs[chunk].resident, of: chunk) }
  }

  /// How often a piece is written: cycles that leave nothing behind need not all be, one by one.
  private static func copies(of piece: PipelineOrder.Piece, unrolls: Bool) -> Int {
    guard piece.actions.count > 1 else { return unrolls ? piece.count : min(piece.count, 2) }
    return min(piece.count, 3)
  }

  /// The take of a part's micro-batch, whose backward is split or not.
  private func take(_ chunk: Int, _ microBatch: Int, split: Bool? = nil) -> Int {
    let splits = splits[chunk]
    let mode = split ?? (splits.isEmpty ? false : splits[min(microBatch, splits.count - 1)])
    guard microBatch > 0, let list = runs[chunk].takesOf[mode] else { return 0 }
    return list[min(microBatch, list.count - 1)]
  }

  // MARK: Writing

  /// Writes all passes.
  mutating func run(_ order: PipelineOrder) {
    for piece in order.pieces {
      var left = unrolls ? Self.copies(of: piece, unrolls: true) : piece.count
      while left > 0 {
        if !unrolls, left > 1, !piece.actions.contains(where: isFirst) {
          schedule.beginRepeat(left)
          for action in piece.actions { run(action) }
          schedule.endRepeat()
          left = 0
        } else {
          for action in piece.actions { run(action) }
          left -= 1
        }
      }
    }
  }

  private func isFirst(_ action: PipelineAction) -> Bool {
    switch action.kind {
    case .forward: forwards[action.chunk] == 0
    case .backward, .inputBackward: backwards[action.chunk] == 0
    case .weightBackward: waiting[action.chunk].first == 0
    }
  }

  /// Which micro-batch an action is about: all kinds take them in order.
  private mutating func next(_ action: PipelineAction) -> Int {
    let chunk = action.chunk
    switch action.kind {
    case .forward:
      forwards[chunk] += 1
      return forwards[chunk] - 1
    case .backward, .inputBackward:
      if action.kind == .inputBackward { waiting[chunk].append(backwards[chunk]) }
      backwards[chunk] += 1
      return backwards[chunk] - 1
    case .weightBackward: return waiting[chunk].isEmpty ? 0 : waiting[chunk].removeFirst()
    }
  }

  private mutating func run(_ action: PipelineAction) {
    let number = next(action)
    let chunk = action.chunk
    let split = action.kind == .forward ? nil : action.kind != .backward
    let take = take(chunk, number, split: split)
    guard let range = runs[chunk].takes[take].events[action.kind] else { return }
    guard unrolls else {
      schedule.events += runs[chunk].tape.schedule.events[range]
      return
    }
    let own = runs[chunk].takes[take].storages
    while instances[chunk].count <= number {
      instances[chunk].append(take == 0 ? bases[chunk] + own.lowerBound : next)
      if take > 0 { next += Int32(truncatingIfNeeded: own.count) }
    }
    let before = number > 1 && take > 1 ? runs[chunk].takes[take - 1].storages : 0..<0
    for var event in runs[chunk].tape.schedule.events[range] {
      if event.storage >= 0 {
        if own.contains(event.storage) {
          event.storage += instances[chunk][number] - own.lowerBound
        } else if before.contains(event.storage) {
          event.storage += instances[chunk][number - 1] - before.lowerBound
        } else {
          event.storage += bases[chunk]
        }
      }
      schedule.events.append(event)
    }
  }

  /// Writes other events of a part.
  mutating func append(_ range: Range<Int>, of chunk: Int) {
    for var event in runs[chunk].tape.schedule.events[range] {
      if unrolls, event.storage >= 0 { event.storage += lastShift(event.storage, chunk) }
      schedule.events.append(event)
    }
  }

  /// What the last micro-batch left has that micro-batch's numbers.
  private func lastShift(_ storage: Int32, _ chunk: Int) -> Int32 {
    let takes = runs[chunk].takes
    let number = instances[chunk].count - 1
    guard number > 0, let index = takes.lastIndex(where: { $0.storages.contains(storage) }),
      index > 0
    else { return bases[chunk] }
    return instances[chunk][number] - takes[index].storages.lowerBound
  }

  /// What micro-batches that are not written one by one would leave until the end of the step, for the replay.
  mutating func keepForOthers(_ order: PipelineOrder) {
    guard unrolls else { return }
    for (chunk, run) in runs.enumerated() {
      let written = splits[chunk].count
      let splitWritten = splits[chunk].count { $0 }
      let all = [
        (\PartRun.Take.loss, microBatches[chunk] - written),
        (\PartRun.Take.kept, splitMicroBatches[chunk] - splitWritten),
      ]
      for (kept, others) in all where others > 0 {
        guard let take = run.takes.first(where: { $0[keyPath: kept] >= 0 }) else { continue }
        let known = run.tape.storages[Int(take[keyPath: kept])]
        for _ in 0..<min(others, 100_000) {
          schedule.allocate(known.bytes, known.role, Moment.batch.rawValue, storage: next)
          keptForOthers.append((known.bytes, known.role, next))
          next += 1
        }
      }
    }
  }

  /// Frees them.
  mutating func freeOthers() {
    for (bytes, role, storage) in keptForOthers {
      schedule.free(bytes, role, Moment.end.rawValue, storage: storage)
    }
  }

  /// What every micro-batch left until here dies: losses, or gradients that inputs keep.
  mutating func free(_ kept: KeyPath<PartRun.Take, Int32>) {
    for (chunk, run) in runs.enumerated() {
      for (number, instance) in instances[chunk].enumerated() where unrolls {
        let take = run.takes[take(chunk, number)]
        let storage = take[keyPath: kept]
        guard storage >= 0 else { continue }
        let known = run.tape.storages[Int(storage)]
        schedule.free(
          known.bytes, known.role, Moment.end.rawValue,
          storage: instance + storage - take.storages.lowerBound)
      }
      guard !unrolls else { continue }
      for take in run.takes {
        guard take[keyPath: kept] >= 0 else { continue }
        let known = run.tape.storages[Int(take[keyPath: kept])]
        let isSplit = take.events[.inputBackward] != nil
        let all =
          kept == \.loss ? microBatches[chunk] : isSplit ? splitMicroBatches[chunk] : 0
        if all > 0 { schedule.free(known.bytes, count: all, known.role, Moment.end.rawValue) }
        break
      }
    }
  }
}

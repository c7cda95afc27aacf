/// Lays a step out in time, operation by operation.
struct TimelineBuilder {
  private var timeline: Timeline
  private let events: ContiguousArray<Event>
  private let spans: ContiguousArray<Tape.Span>
  /// Where layers begin (or -1: where they end), each with its event.
  private let marks: [(event: Int, layer: Int)]
  private let bandwidth: Double

  private var clock = 0.0
  private var nextSpan = 0
  private var nextMark = 0
  private var lastEvent = 0
  private var running: (span: Tape.Span, start: Double)?
  private var layer: (index: Int, start: Double)?
  private var phase: (phase: Phase, start: Double, leastSeconds: Double)?
  private var place = Timeline.Place(phase: .forward, layer: -1, operation: 0, again: false)
  private var placeIndex: [Timeline.Place: Int32] = [:]
  /// What each slot holds.
  private var held: ContiguousArray<(bytes: Int, role: Role)>
  private var live = Timeline.Roles()

  /// Between two changes of memory: 0.1 µs, for their order alone.
  private static let tick = 1e-7

  /// Lays out an unrolled, timed step.
  init(_ step: TrainingStep, _ graph: LayerGraph, name: String, bandwidth: Double) {
    let script = ReplayScript(step.schedule, graph.program)
    timeline = Timeline(name: name, graph: graph, script: script)
    events = step.schedule.events
    spans = step.spans
    self.bandwidth = max(bandwidth, 1)
    marks = events.enumerated().compactMap { index, event in
      switch event.kind {
      case .layer: (index, event.bytes)
      case .outside: (index, -1)
      case .memory, .phase, .repeatBegin, .repeatEnd, .update, .hostWait, .hostMark: nil
      }
    }
    held = .init(repeating: (0, .other), count: script.slots)
  }

  /// The step in time.
  mutating func build() -> Timeline {
    let script = timeline.script
    for command in script.loading { _ = apply(command) }
    for command in script.first { _ = apply(command) }
    timeline.start = live
    timeline.changes.reserveCapacity(script.second.count)
    for (index, command) in script.second.enumerated() {
      reach(Int(command.event))
      switch command.kind {
      case .phase: begin(Phase.allCases[Int(command.slot)])
      case .allocate, .free: change(command, index)
      case .emptyCache, .hostWait, .hostMark: break
      }
    }
    reach(events.count)
    closePhase()
    timeline.duration = clock
    timeline.slices.sort {
      $0.start != $1.start ? $0.start < $1.start : $0.kind.rawValue < $1.kind.rawValue
    }
    timeline.findPeak()
    return timeline
  }

  /// Runs what lies before an event.
  private mutating func reach(_ event: Int) {
    if event < lastEvent {
      // A micro-batch runs again.
      nextSpan = spans.firstIndex { $0.event >= event } ?? spans.count
      nextMark = marks.firstIndex { $0.event >= event } ?? marks.count
    }
    lastEvent = event
    while true {
      let span = nextSpan < spans.count ? spans[nextSpan].event : .max
      let mark = nextMark < marks.count ? marks[nextMark].event : .max
      guard min(span, mark) <= event else { return }
      if mark < span {
        closeLayer()
        if marks[nextMark].layer >= 0 { layer = (marks[nextMark].layer, clock) }
        nextMark += 1
      } else {
        closeOperation()
        running = (spans[nextSpan], clock)
        nextSpan += 1
      }
    }
  }

  private mutating func begin(_ next: Phase) {
    closePhase()
    var least = 0.0
    if next == .optimizer {
      let gradients = Double(live[Int(Role.gradients.rawValue)])
      let states = Double(live[Int(Role.optimizerState.rawValue)])
      least = (3 * gradients + 2 * states) / bandwidth
    }
    phase = (next, clock, least)
  }

  private mutating func change(_ command: ReplayScript.Command, _ index: Int) {
    let event = command.event >= 0 ? events[Int(command.event)] : Event(kind: .memory)
    if let running, running.span.operation != event.operation { closeOperation() }
    if event.operation < 0, command.kind == .allocate,
      phase?.phase == .optimizer || command.role == .communication
    {
      clock += Double(command.bytes) / bandwidth
    }
    clock += Self.tick
    let role = command.kind == .allocate ? command.role : held[Int(command.slot)].role
    let bytes = apply(command)
    guard bytes != 0 else { return }
    let place = Timeline.Place(
      phase: phase?.phase ?? .forward, layer: layer?.index ?? -1, operation: event.operation,
      again: event.again)
    timeline.changes.append(
      Timeline.Change(
        time: clock, bytes: bytes, role: role, place: number(of: place),
        command: Int32(truncatingIfNeeded: index)))
  }

  private mutating func number(of place: Timeline.Place) -> Int32 {
    if let number = placeIndex[place] { return number }
    let number = Int32(truncatingIfNeeded: timeline.places.count)
    timeline.places.append(place)
    placeIndex[place] = number
    return number
  }

  /// The bytes that a command adds.
  private mutating func apply(_ command: ReplayScript.Command) -> Int {
    let slot = Int(command.slot)
    switch command.kind {
    case .allocate:
      held[slot] = (command.bytes, command.role)
      live[Int(command.role.rawValue)] &+= command.bytes
      return command.bytes
    case .free:
      let freed = held[slot]
      held[slot] = (0, freed.role)
      live[Int(freed.role.rawValue)] &-= freed.bytes
      return -freed.bytes
    case .phase, .emptyCache, .hostWait, .hostMark: return 0
    }
  }

  // MARK: Ends

  private mutating func closeOperation() {
    guard let (span, start) = running else { return }
    running = nil
    clock = max(clock, start + span.seconds)
    let name = timeline.operationText(span.operation) + (span.isBackward ? ", backward" : "")
    add(.operation, name, from: start, again: span.again)
  }

  private mutating func closeLayer() {
    closeOperation()
    guard let (index, start) = layer else { return }
    layer = nil
    add(.layer, timeline.graph.name(ofLayer: index), from: start)
  }

  private mutating func closePhase() {
    closeLayer()
    guard let (phase, start, least) = phase else { return }
    self.phase = nil
    clock = max(clock, start + least)
    add(.phase, phase.key, from: start)
  }

  private mutating func add(
    _ kind: Timeline.Slice.Kind, _ name: String, from start: Double, again: Bool = false
  ) {
    guard clock > start else { return }
    timeline.slices.append(
      Timeline.Slice(kind: kind, name: name, start: start, end: clock, again: again))
  }
}

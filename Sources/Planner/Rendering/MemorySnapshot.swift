/// A step as a snapshot of PyTorch's caching allocator, which `torch.cuda._memory_viz` and pytorch.org/memory_viz open.
///
/// It holds what `torch.cuda.memory._snapshot()` returns: the segments with their blocks after the second step, and
/// the trace of that step. Frames name the operation, the layer and the phase; `category` is what each tensor is for,
/// in the words of `torch.profiler._memory_profiler.Category` where that has one.
///
/// Source: `torch/cuda/_memory_viz.py`, `torch/csrc/cuda/memory_snapshot.cpp` and `torch/utils/viz/MemoryViz.js`,
/// PyTorch 2.11.
enum MemorySnapshot {
  /// The pickle.
  static func render(_ timeline: Timeline, _ recording: AllocatorRecording, isExpandable: Bool)
    -> [UInt8]
  {
    var writer = PickleWriter()
    var frames = Frames(timeline)
    writer.dictionary { writer in
      writer.entry("segments") { writer in
        writer.list(recording.segments.count) { writer, index in
          segment(recording.segments[index], isExpandable, &frames, &writer)
        }
      }
      writer.entry("device_traces") { writer in
        writer.list(1) { writer, _ in trace(recording, timeline, isExpandable, &frames, &writer) }
      }
      writer.entry("allocator_settings") { writer in
        writer.dictionary { $0.entry("expandable_segments", isExpandable) }
      }
      writer.entry("external_annotations") { $0.list(0) { _, _ in } }
    }
    return writer.finish()
  }

  private static func segment(
    _ segment: AllocatorRecording.Segment, _ isExpandable: Bool, _ frames: inout Frames,
    _ writer: inout PickleWriter
  ) {
    var (allocated, requested) = (0, 0)
    for block in segment.blocks where block.command != nil {
      allocated += block.size
      requested += block.requested
    }
    writer.dictionary { writer in
      writer.entry("device", 0)
      writer.entry("address", segment.address)
      writer.entry("total_size", segment.size)
      writer.entry("allocated_size", allocated)
      writer.entry("active_size", allocated)
      writer.entry("requested_size", requested)
      writer.entry("stream", segment.stream)
      writer.entry("segment_type", segment.isSmall ? "small" : "large")
      writer.entry("segment_pool_id") { $0.pair(0, 0) }
      writer.entry("is_expandable", isExpandable)
      writer.entry("frames") { $0.list(0) { _, _ in } }
      writer.entry("blocks") { writer in
        writer.list(segment.blocks.count) { writer, index in
          block(segment.blocks[index], &frames, &writer)
        }
      }
    }
  }

  private static func block(
    _ block: AllocatorRecording.Block, _ frames: inout Frames, _ writer: inout PickleWriter
  ) {
    writer.dictionary { writer in
      writer.entry("address", block.address)
      writer.entry("size", block.size)
      writer.entry("requested_size", block.requested)
      writer.entry("state", block.command == nil ? "inactive" : "active_allocated")
      writer.entry("category", block.command.map { category($0.role) } ?? "free")
      writer.entry("frames") { frames.write(block, &$0) }
    }
  }

  private static func trace(
    _ recording: AllocatorRecording, _ timeline: Timeline, _ isExpandable: Bool,
    _ frames: inout Frames, _ writer: inout PickleWriter
  ) {
    let entries = recording.entries
    // A release has two entries: it is requested, and completed.
    var lines: [(entry: Int, action: StaticString)] = []
    for (index, entry) in entries.enumerated() {
      switch entry.action {
      case .allocate: lines.append((index, "alloc"))
      case .free: lines += [(index, "free_requested"), (index, "free_completed")]
      case .takeSegment: lines.append((index, isExpandable ? "segment_map" : "segment_alloc"))
      case .giveSegment: lines.append((index, isExpandable ? "segment_unmap" : "segment_free"))
      }
    }
    let changes = timeline.changes(ofCommands: timeline.script.second.count)
    writer.list(lines.count) { writer, line in
      let entry = entries[lines[line].entry]
      let change = changes[entry.command]
      writer.dictionary { writer in
        writer.entry("action", "\(lines[line].action)")
        writer.entry("addr", entry.address)
        writer.entry("size", entry.size)
        writer.entry("stream", entry.stream)
        writer.entry("time_us", microseconds(change?.time ?? 0))
        writer.entry("category", category(change?.role ?? .other))
        writer.entry("frames") { frames.write(change?.place ?? -1, &$0) }
      }
    }
  }

  private static func microseconds(_ seconds: Double) -> Int {
    Int(exactly: (seconds * 1e6).rounded(.down)) ?? 0
  }

  private static func category(_ role: Role) -> String {
    switch role {
    case .parameters: "parameter"
    case .gradients: "gradient"
    case .optimizerState: "optimizer_state"
    case .activations: "activation"
    case .communication: "communication"
    case .workspace: "temporary"
    case .other: "other"
    }
  }

  /// Lists of frames, each written once.
  private struct Frames {
    let timeline: Timeline
    private var memos: [Int: Int] = [:]

    init(_ timeline: Timeline) { self.timeline = timeline }

    /// Frames of what was allocated before the step.
    mutating func write(_ block: AllocatorRecording.Block, _ writer: inout PickleWriter) {
      guard let command = block.command else { return writer.list(0) { _, _ in } }
      let key = -2 - Int(command.role.rawValue)
      if let memo = memos[key] { return writer.recall(memo) }
      list([("model", 0, "\(command.role.key)"), ("step", 0, "before the step")], key, &writer)
    }

    /// Frames of a place of the timeline.
    mutating func write(_ place: Int32, _ writer: inout PickleWriter) {
      guard place >= 0 else { return writer.list(0) { _, _ in } }
      if let memo = memos[Int(place)] { return writer.recall(memo) }
      let found = timeline.places[Int(place)]
      var frames: [(file: String, line: Int, name: String)] = []
      let program = timeline.graph.program
      if found.operation >= 0, Int(found.operation) < program.operations.count {
        let operation = program.operations[Int(found.operation)]
        let again = found.again ? " (recomputed)" : ""
        frames.append(("\(operation.module)", 0, "\(operation.name)" + again))
      } else {
        frames.append(("step", 0, timeline.operationText(found.operation)))
      }
      if found.layer >= 0 {
        frames.append(("model", found.layer, timeline.graph.name(ofLayer: found.layer)))
      }
      frames.append(("step", 0, found.phase.key))
      list(frames, Int(place), &writer)
    }

    private mutating func list(
      _ frames: [(file: String, line: Int, name: String)], _ key: Int, _ writer: inout PickleWriter
    ) {
      writer.list(frames.count) { writer, index in
        writer.dictionary { writer in
          writer.entry("filename", frames[index].file)
          writer.entry("line", frames[index].line)
          writer.entry("name", frames[index].name)
        }
      }
      memos[key] = writer.memoize()
    }
  }
}

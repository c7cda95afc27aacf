/// The formats of `plan trace`.
public enum TraceFormat: String, CaseIterable, Sendable {
  /// JSON for Perfetto and chrome://tracing.
  case chrome
  /// A pickle for PyTorch's memory_viz.
  case snapshot

  /// The file's contents; `note` is told what to know about them beyond ``Timeline/notes``.
  ///
  /// - Throws: ``PlanError/Kind/unsupported`` for a snapshot of what no caching allocator holds.
  public func render(
    _ timeline: Timeline, of scenario: Scenario, note: (String) -> Void = { _ in }
  ) throws(PlanError) -> [UInt8] {
    switch self {
    case .chrome: return Array(ChromeTrace.render(timeline).utf8)
    case .snapshot:
      guard scenario.device.kind == .accelerator else { throw .noAllocator }
      guard timeline.highest.count < 1 << DeviceMemory.segmentBits else {
        throw .tooLarge(timeline)
      }
      let rules = AllocatorRules(scenario.allocator)
      let capacity = try scenario.device.memory - OutsideAllocator(scenario.device).high
      var recording = AllocatorRecording(
        timeline.script, rules, DeviceMemory(capacity: capacity.count))
      if recording.ranOut {
        note("the device runs out of memory: the allocator is replayed without a limit")
        recording = AllocatorRecording(timeline.script, rules, DeviceMemory())
      }
      return MemorySnapshot.render(timeline, recording, isExpandable: rules.expandable)
    }
  }
}

extension PlanError {
  fileprivate static var noAllocator: Self {
    Self(
      .unsupported, "a processor's memory has no caching allocator to take a snapshot of",
      path: "--format", fix: "Write --format chrome.")
  }

  fileprivate static func tooLarge(_ timeline: Timeline) -> Self {
    Self(
      .unsupported, "\(timeline.highest) of live tensors are more than a snapshot can address",
      path: "--format", fix: "Write --format chrome, or lower the batch.")
  }
}

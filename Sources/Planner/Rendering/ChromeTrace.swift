/// A step as a trace that Perfetto and chrome://tracing open: memory by role over time, and what runs.
///
/// Three rows of slices (phases, layers in them, operations in these) and counters: `memory by role` with the bytes of
/// each role, and `live` with their sum. One event per line; times are microseconds.
///
/// Source: "Trace Event Format", Google: phases `X` (complete), `C` (counter) and `M` (metadata).
enum ChromeTrace {
  /// The JSON text.
  static func render(_ timeline: Timeline) -> String {
    var lines = [
      metadata("process_name", "plan", thread: 0), metadata("thread_name", "step", thread: 1),
    ]
    for slice in timeline.slices {
      let again = slice.again ? ",\"args\":{\"recomputed\":true}" : ""
      let category = "\(slice.kind)"
      lines.append(
        "{\"name\":\(quoted(slice.name)),\"cat\":\"\(category)\",\"ph\":\"X\",\"pid\":1,\"tid\":1,"
          + "\"ts\":\(time(slice.start)),\"dur\":\(duration(slice))\(again)}")
    }
    var roles = timeline.start
    let present = timeline.presentRoles
    counters(roles, present, at: 0, to: &lines)
    for change in timeline.changes {
      roles[Int(change.role.rawValue)] &+= change.bytes
      counters(roles, present, at: change.time, to: &lines)
    }
    let notes = timeline.notes.map { quoted($0) }.joined(separator: ",")
    return "{\"displayTimeUnit\":\"ms\",\n\"otherData\":{\"name\":\(quoted(timeline.name)),"
      + "\"notes\":[\(notes)],\"peak_live_bytes\":\(timeline.highest.count)},\n\"traceEvents\":[\n"
      + lines.joined(separator: ",\n") + "\n]}\n"
  }

  private static func counters(
    _ roles: Timeline.Roles, _ present: [Role], at seconds: Double, to lines: inout [String]
  ) {
    let start = "\"ph\":\"C\",\"pid\":1,\"ts\":\(time(seconds)),\"args\":{"
    var parts: [String] = []
    for role in present {
      parts.append("\"\(role.key)\":\(roles[Int(role.rawValue)])")
    }
    lines.append("{\"name\":\"memory by role\",\(start)\(parts.joined(separator: ","))}}")
    lines.append("{\"name\":\"live\",\(start)\"bytes\":\(roles.wrappedSum())}}")
  }

  private static func metadata(_ name: String, _ value: String, thread: Int) -> String {
    "{\"name\":\"\(name)\",\"ph\":\"M\",\"pid\":1,\"tid\":\(thread),"
      + "\"args\":{\"name\":\"\(value)\"}}"
  }

  /// Microseconds to the nanosecond.
  private static func time(_ seconds: Double) -> String { Decimal.text(seconds * 1e6, digits: 3) }

  /// From rounded start to rounded end, so that slices nest as they are written.
  private static func duration(_ slice: Timeline.Slice) -> String {
    let (start, end) = ((slice.start * 1e9).rounded(), (slice.end * 1e9).rounded())
    return Decimal.text((end - start) / 1e3, digits: 3)
  }

  private static func quoted(_ text: String) -> String { JSONWriter.text(.string(text)) }
}

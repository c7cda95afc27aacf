/// Memory over the step as an inline SVG: one area for each role, stacked, with the peak and what the device has.
///
/// The drawing stretches to the page's width; its labels are HTML, so that they stay readable on a phone. Time runs to
/// the right; a phase that takes less than a twelfth of the step is drawn that wide.
struct MemoryChart {
  private let timeline: Timeline
  private let report: Report
  private let roles: [Role]
  private let scale: MemoryScale
  /// Bytes at the upper edge.
  private let top: Double
  private let phases: [(name: String, start: Double, end: Double, left: Double, width: Double)]

  private static let columns = 480
  private static let height = 1000.0
  private static let leastShare = 1.0 / 12

  init(_ timeline: Timeline, _ report: Report) {
    self.timeline = timeline
    self.report = report
    roles = timeline.presentRoles
    scale = MemoryScale(largest: max(report.need, report.capacity))
    let need = Double(max(report.need, timeline.highest).count)
    let capacity = Double(report.capacity.count)
    // A capacity far above would press everything else flat.
    top = 1.12 * (capacity > 3 * need ? need * 1.2 : max(need, capacity))
    phases = Self.spread(timeline)
  }

  /// Phases with their places between 0 and 1.
  private static func spread(_ timeline: Timeline) -> [(
    name: String, start: Double, end: Double, left: Double, width: Double
  )] {
    let slices = timeline.slices.filter { $0.kind == .phase }
    let lengths = slices.map { max($0.end - $0.start, 1e-12) }
    let sum = lengths.reduce(0, +)
    let widened = lengths.map { max($0 / sum, leastShare / Double(max(1, slices.count / 3))) }
    let whole = widened.reduce(0, +)
    var left = 0.0
    return zip(slices, widened).map { slice, share in
      defer { left += share / whole }
      return (slice.name, slice.start, slice.end, left, share / whole)
    }
  }

  /// The figure's HTML.
  var html: String {
    guard timeline.duration > 0, top > 0, !phases.isEmpty else { return "" }
    let columns = columns
    var paths = ""
    var below = [Double](repeating: 0, count: columns.count)
    for role in roles {
      let above = zip(below, columns).map { $0 + Double($1[Int(role.rawValue)]) }
      paths += "<path class=\"\(role.key)\" d=\"\(area(below, above))\"/>\n"
      below = above
    }
    var lines = ""
    for phase in phases.dropFirst() { lines += line(x: phase.left, "phase") }
    let need = Double(report.need.count)
    lines += line(y: need, "need")
    if capacityShows { lines += line(y: Double(report.capacity.count), "capacity") }
    let peak = peakPlace
    lines += line(x: peak.x, "peak")
    return """
      <figure class="chart">
      <div class="plot" role="img" aria-label="\(HTMLText.escaped(summary))">
      <svg viewBox="0 0 \(Self.columns) \(Int(Self.height))" preserveAspectRatio="none" aria-hidden="true">
      \(paths)\(lines)</svg>
      \(labels(peak))</div>
      \(legend)<figcaption>\(HTMLText.escaped(caption))</figcaption>
      </figure>

      """
  }

  private var capacityShows: Bool { Double(report.capacity.count) <= top }

  private var summary: String {
    "Memory over one training step, stacked by role; \(scale.text(timeline.highest)) at the peak"
  }

  /// The chart in a sentence or two.
  var caption: String {
    var text =
      "Live tensors over the second step, estimated time to the right (short phases widened)."
    let place =
      timeline.peak >= 0 ? timeline.places[Int(timeline.changes[timeline.peak].place)] : nil
    if let place {
      text +=
        " The peak, \(scale.text(timeline.highest)), is in \(place.phase.key), "
        + timeline.text(of: place) + "."
    }
    if !capacityShows {
      text += " The device offers \(scale.text(report.capacity)), far above this chart."
    }
    return text
  }

  // MARK: Drawing

  /// What is alive in each column, at its highest point there.
  private var columns: [Timeline.Roles] {
    var columns = [Timeline.Roles](repeating: timeline.start, count: Self.columns)
    var (live, column) = (timeline.start, 0)
    var highest = live.wrappedSum()
    for change in timeline.changes {
      let next = min(Self.columns - 1, Int(x(of: change.time) * Double(Self.columns)))
      while column < next {
        column += 1
        columns[column] = live
        highest = live.wrappedSum()
      }
      live[Int(change.role.rawValue)] &+= change.bytes
      if live.wrappedSum() > highest {
        highest = live.wrappedSum()
        columns[column] = live
      }
    }
    while column < Self.columns - 1 {
      column += 1
      columns[column] = live
    }
    return columns
  }

  /// A time's place between 0 and 1.
  private func x(of time: Double) -> Double {
    for phase in phases where time <= phase.end {
      let length = phase.end - phase.start
      let part = length > 0 ? max(0, time - phase.start) / length : 0
      return phase.left + part * phase.width
    }
    return 1
  }

  private func y(of bytes: Double) -> Int {
    Int(((1 - min(1, bytes / top)) * Self.height).rounded())
  }

  /// Steps along the upper edge and back along the lower one.
  private func area(_ below: [Double], _ above: [Double]) -> String {
    var path = "M0 \(y(of: above[0]))"
    var last = y(of: above[0])
    for column in 1..<max(1, above.count) {
      let next = y(of: above[column])
      if next != last { path += "H\(column)V\(next)" }
      last = next
    }
    path += "H\(Self.columns)"
    last = .min
    for column in stride(from: below.count - 1, through: 0, by: -1) {
      let next = y(of: below[column])
      if next != last { path += (last == .min ? "" : "H\(column + 1)") + "V\(next)" }
      last = next
    }
    return path + "H0Z"
  }

  private func line(x: Double, _ name: String) -> String {
    let place = Decimal.text(x * Double(Self.columns), digits: 1)
    return "<path class=\"line \(name)\" d=\"M\(place) 0V\(Int(Self.height))\"/>\n"
  }

  private func line(y bytes: Double, _ name: String) -> String {
    "<path class=\"line \(name)\" d=\"M0 \(y(of: bytes))H\(Self.columns)\"/>\n"
  }

  private var peakPlace: (x: Double, bytes: Double) {
    let time = timeline.peak >= 0 ? timeline.changes[timeline.peak].time : 0
    return (x(of: time), Double(timeline.highest.count))
  }

  // MARK: Labels

  private func labels(_ peak: (x: Double, bytes: Double)) -> String {
    var labels = ""
    func add(_ name: String, _ text: String, left: Double?, bytes: Double) {
      let bottom = Decimal.text(min(1, bytes / top) * 100, digits: 2)
      let place = left.map { "left:\(Decimal.text($0 * 100, digits: 2))%;" } ?? ""
      labels +=
        "<span class=\"label \(name)\" style=\"\(place)bottom:\(bottom)%\">"
        + "\(HTMLText.escaped(text))</span>\n"
    }
    for phase in phases {
      let isLast = phase.name == phases.last?.name && phase.left > 0.7
      add(isLast ? "phase last" : "phase", phase.name, left: isLast ? nil : phase.left, bytes: 0)
    }
    if capacityShows {
      add(
        "capacity", "device offers \(scale.text(report.capacity))", left: nil,
        bytes: Double(report.capacity.count))
    }
    add(
      peak.x > 0.4 ? "need early" : "need", "needs \(scale.text(report.need))", left: nil,
      bytes: Double(report.need.count))
    add(
      peak.x > 0.5 ? "peak before" : "peak", "peak \(scale.text(timeline.highest))", left: peak.x,
      bytes: peak.bytes)
    return labels
  }

  private var legend: String {
    let items = roles.reversed().map {
      "<li><i class=\"\($0.key)\"></i>\($0 == .optimizerState ? "optimizer state" : $0.key)</li>"
    }
    return "<ul class=\"legend\">\(items.joined())</ul>\n"
  }
}

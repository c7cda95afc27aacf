/// Memory against time of checkpointing policies as an inline SVG: each plan a point, those that no other beats a line.
struct FrontChart {
  private let table: CheckpointTable
  private let front: [CheckpointTable.Plan]
  private let scale: MemoryScale
  private let fastest: Double
  private let slowest: Double
  private let most: Double
  private let least: Double

  private static let width = 480.0
  private static let height = 200.0

  init(_ table: CheckpointTable) {
    self.table = table
    front = table.front
    let all = table.plans
    fastest = all.map(\.seconds).min() ?? 0
    slowest = max(all.map(\.seconds).max() ?? 0, fastest * 1.001)
    let sizes = all.map { Double($0.live.count) }
    let (low, high) = (sizes.min() ?? 0, sizes.max() ?? 1)
    let capacity = Double(table.capacity.count)
    // The limit is drawn where it is near enough to matter.
    let top = capacity > high && capacity < 2 * high ? capacity : high
    least = max(0, min(low, capacity > low / 2 ? capacity : low) * 0.9)
    most = max(top * 1.05, least + 1)
    scale = MemoryScale(largest: Bytes(Int(exactly: high.rounded()) ?? 0))
  }

  /// The figure's HTML; nothing where there is no choice.
  var html: String {
    guard front.count > 1, fastest > 0, most.isFinite else { return "" }
    var shapes = ""
    for plan in table.plans where !plan.isOnFront { shapes += point(plan, "other") }
    let line = front.map { "\(x($0)) \(y(Double($0.live.count)))" }.joined(separator: "L")
    shapes += "<path class=\"front\" d=\"M\(line)\"/>\n"
    for plan in front { shapes += point(plan, "best") }
    if let chosen = table.recommended?.plan { shapes += point(chosen, "chosen") }
    let capacity = Double(table.capacity.count)
    let limit = capacity < most && capacity > least
    if limit {
      shapes += "<path class=\"line capacity\" d=\"M0 \(y(capacity))H\(Int(Self.width))\"/>\n"
    }
    let ends = [front.first, front.last].compactMap(\.self)
    var labels = ""
    if let first = ends.first {
      labels += label(scale.text(first.live), "left:1%;bottom:\(share(first))%")
    }
    if let last = ends.last {
      labels += label(
        "\(scale.text(last.live)), +\(TextLayout.percent(last.seconds / fastest - 1)) time",
        "right:0;bottom:\(share(last))%")
    }
    if limit {
      labels += label(
        "device offers \(scale.text(table.capacity))",
        "right:0;bottom:\(Decimal.text((capacity - least) / (most - least) * 100, digits: 2))%")
    }
    return """
      <figure class="chart">
      <div class="plot small" role="img" aria-label="Memory against time of checkpointing policies">
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" preserveAspectRatio="none" aria-hidden="true">
      \(shapes)</svg>
      \(labels)</div>
      <figcaption>Live tensors (up) against the time of the arithmetic (to the right) of \(table.plans.count) policies; \
      the line joins those that no other beats, the large point is the fastest that fits.</figcaption>
      </figure>

      """
  }

  private func x(_ plan: CheckpointTable.Plan) -> String {
    let part = (plan.seconds - fastest) / (slowest - fastest)
    return Decimal.text(12 + part * (Self.width - 24), digits: 1)
  }

  private func y(_ bytes: Double) -> String {
    Decimal.text((1 - (bytes - least) / (most - least)) * Self.height, digits: 1)
  }

  private func share(_ plan: CheckpointTable.Plan) -> String {
    let part = (Double(plan.live.count) - least) / (most - least)
    return Decimal.text(min(88, max(2, part * 100 + 2)), digits: 2)
  }

  private func point(_ plan: CheckpointTable.Plan, _ name: String) -> String {
    // A short line with round ends stays round however the drawing is stretched.
    "<path class=\"dot \(name)\" d=\"M\(x(plan)) \(y(Double(plan.live.count)))h0\"/>\n"
  }

  private func label(_ text: String, _ place: String) -> String {
    "<span class=\"label\" style=\"\(place)\">\(HTMLText.escaped(text))</span>\n"
  }
}

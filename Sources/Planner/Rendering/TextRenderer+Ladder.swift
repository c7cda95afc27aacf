extension TextRenderer {
  /// One line per rung: what the device must offer, what it costs, how many devices.
  static func render(_ ladder: Ladder, style: TextStyle) -> String {
    guard let last = ladder.rungs.last?.report else { return "nothing to compare\n" }
    let peaks = ladder.rungs.map(\.report.peak.device)
    let scale = MemoryScale(largest: max(last.capacity, peaks.max() ?? .zero))
    var lines = [
      style.paint(TextLayout.line(last.name, TextLayout.width), .strong)
    ]
    lines += TextLayout.wrap(
      "each line is planned by itself; \(scale.text(last.capacity)) per \(last.device)",
      TextLayout.width - 2
    ).map { "  " + $0 }
    lines += [
      "",
      "  "
        + style.paint(
          row(["technique", "live", "needed", "FLOPs", "time", "devices", ""]), .faint),
    ]
    for rung in ladder.rungs {
      let report = rung.report
      let label = TextLayout.line(rung.label, TextLayout.width - 2)
      let isLong = label.count > widths[0]
      if isLong { lines.append("  " + label) }
      let cells = [
        isLong ? "" : label, scale.text(report.peak.live), scale.text(report.peak.device),
        more(report.recompute.flopsFraction), more(report.recompute.timeFraction),
        report.devices.minimum.map { "\($0)" } ?? "none",
      ]
      let verdict: String = report.fits ? style.paint("fits", .good) : style.paint("no", .bad)
      lines.append("  " + row(cells + [verdict]))
    }
    lines += [
      "", "  needed    per device, with what the allocator and the CUDA context take",
      "  FLOPs     what is recomputed, and its time, on top of the step without it",
      "  devices   the least of this kind that work",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static let widths = [24, 11, 12, 9, 9, 8]

  private static func more(_ fraction: Double) -> String {
    fraction == 0 ? "-" : "+" + TextLayout.percent(fraction)
  }

  private static func row(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      switch index {
      case 0: text += TextLayout.left(cell, widths[0])
      case widths.indices: text += TextLayout.right(cell, widths[index])
      default: text += cell.isEmpty ? "" : " " + cell
      }
    }
    return text
  }
}

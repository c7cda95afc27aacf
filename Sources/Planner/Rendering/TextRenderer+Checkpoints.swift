extension TextRenderer {
  /// The plan to use, the others to choose from, the front as a picture, and what decides.
  static func render(_ table: CheckpointTable, style: TextStyle) -> String {
    let page = CheckpointPage(table, style)
    let parts = [page.verdict, page.choices, page.mixture, page.plot, page.settings, page.limits]
    return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
      .joined(separator: "\n\n") + "\n"
  }
}

/// The parts of `plan checkpoint`'s page, each a list of lines.
private struct CheckpointPage {
  private let table: CheckpointTable
  private let style: TextStyle
  private let scale: MemoryScale

  init(_ table: CheckpointTable, _ style: TextStyle) {
    self.table = table
    self.style = style
    scale = MemoryScale(largest: max(table.capacity, table.without.live))
  }

  /// What to use, or that nothing fits.
  var verdict: [String] {
    guard let chosen = table.recommended else {
      return [
        style.paint("NO POLICY FITS", .bad) + "  "
          + TextLayout.line(table.name, TextLayout.width - 16),
        "  the least is \(scale.text(table.least.plan.live)) of live tensors, "
          + "\(Self.name(table.least.plan)); \(scale.text(table.capacity)) to take",
      ]
    }
    let label = Self.name(chosen.plan).uppercased()
    return [
      style.paint(label, .good) + "  "
        + TextLayout.line(table.name, TextLayout.width - label.count - 2),
      "  \"checkpointing\": " + JSONWriter.line(chosen.plan.checkpointing.setting),
      "  the fastest that fits: \(scale.text(chosen.report.need)) of "
        + "\(scale.text(table.capacity)), \(Self.cost(chosen.plan)) time",
    ]
  }

  /// The plans to choose from.
  var choices: [String] {
    var rows: [(String, CheckpointTable.Plan, Double?)] = [("without", table.without, nil)]
    if let chosen = table.recommended {
      rows.append(("fastest that fits", chosen.plan, chosen.bound))
    }
    if let spare = table.withSlack { rows.append(("with 10 % to spare", spare.plan, spare.bound)) }
    if let mixture = table.mixture,
      mixture.plan.seconds < table.recommended?.plan.seconds ?? .infinity
    {
      rows.append(("best mixture", mixture.plan, mixture.bound))
    }
    if let cut = table.cut, cut.plan.seconds < table.recommended?.plan.seconds ?? .infinity {
      rows.append(("best min cut", cut.plan, cut.bound))
    }
    rows.append(("least memory", table.least.plan, table.least.bound))
    let heading = row(["", "layers", "live", "FLOPs", "time", "bound", "peak in"])
    return ["  " + style.paint(heading, .faint)]
      + rows.map { label, plan, bound in
        let recompute = plan.recompute
        return "  "
          + row([
            label, Self.name(plan), scale.text(plan.live), Self.more(recompute.flopsFraction),
            Self.more(recompute.timeFraction),
            bound.map(Self.more) ?? "", plan.phase.key,
          ])
      }
  }

  /// How the best mixture is written, where it is faster than whole layers.
  var mixture: [String] {
    var lines: [String] = []
    for (name, choice) in [("mixture", table.mixture), ("min cut", table.cut)] {
      guard let plan = choice?.plan, plan.seconds < table.recommended?.plan.seconds ?? .infinity
      else { continue }
      lines += entry(
        name, "\"checkpointing\": " + JSONWriter.line(plan.checkpointing.setting))
    }
    return lines
  }

  /// The front: live tensors over the time that recomputation adds.
  var plot: [String] {
    let front = table.front
    guard front.count > 2, let first = front.first, let last = front.last else { return [] }
    let (most, fewest) = (Double(first.live.count), Double(last.live.count))
    let slowest = last.seconds / first.seconds - 1
    guard most > fewest, slowest > 0 else { return [] }
    var cells = Array(
      repeating: Array(repeating: Character(" "), count: Self.columns), count: Self.rows)
    for plan in front {
      let x = (plan.seconds / first.seconds - 1) / slowest * Double(Self.columns - 1)
      let y = (most - Double(plan.live.count)) / (most - fewest) * Double(Self.rows - 1)
      cells[Int(y.rounded())][Int(x.rounded())] = "·"
    }
    for (mark, choice) in [("o", table.withSlack), ("x", table.recommended)] {
      guard let plan = choice?.plan else { continue }
      let x = (plan.seconds / first.seconds - 1) / slowest * Double(Self.columns - 1)
      let y = (most - Double(plan.live.count)) / (most - fewest) * Double(Self.rows - 1)
      cells[Int(y.rounded())][Int(x.rounded())] = Character(mark)
    }
    var lines: [String] = []
    for (index, line) in cells.enumerated() {
      let edge = index == 0 ? first.live : index == Self.rows - 1 ? last.live : nil
      let label = TextLayout.right(edge.map(scale.text) ?? "", 12)
      lines.append(trimmed("  \(label) │" + String(line)))
    }
    let end = "+" + TextLayout.percent(slowest) + " time"
    lines.append("  " + TextLayout.left("", 13) + "└" + String(repeating: "─", count: Self.columns))
    lines.append(
      "  " + TextLayout.left("", 14) + "0" + TextLayout.right(end, Self.columns - 1))
    let marks = [
      ("x", table.recommended, "fits"), ("o", table.withSlack, "fits with 10 % to spare"),
    ]
    let legend = marks.filter { $0.1 != nil }.map { "\($0.0) \($0.2)" }.joined(separator: ", ")
    return lines + (legend.isEmpty ? [] : ["  " + TextLayout.left("", 14) + legend])
  }

  private static let columns = 60
  private static let rows = 10

  /// How the frameworks spell it.
  var settings: [String] {
    guard let chosen = table.recommended else { return [] }
    return CheckpointSpelling.settings(of: chosen.plan.checkpointing).flatMap { setting in
      entry(setting.framework, setting.text ?? "has no setting for this")
    }
  }

  /// What keeps the memory from being less, and what would help.
  var limits: [String] {
    var lines = entry("decides", decides)
    if !table.helps {
      lines += entry("", "checkpointing does not lower this peak")
    }
    lines += entry("beyond", beyond)
    guard !table.remedies.isEmpty else { return lines }
    lines += ["", "  with every layer checkpointed it would fit with"]
    for remedy in table.remedies {
      lines += TextLayout.wrap(remedy.change, TextLayout.width - 4).map { "    " + $0 }
    }
    return lines
  }

  private var decides: String {
    let peak = table.least.report.peak
    return "\(peak.phase.key), \(peak.operation), at the least memory of any policy"
  }

  private var beyond: String {
    switch table.limit {
    case .optimizer:
      "no activation is alive there: a fused or an 8-bit optimizer, \"offload_optimizer\" or "
        + "\"fsdp\" would lower it"
    case .outsideLayers:
      "it lies outside the layers: \"loss\": \"chunked\", \"kernels\": \"liger\" or a smaller "
        + "micro-batch would lower it"
    case .layers:
      "one layer at a time and the inputs of the others: a smaller micro-batch, "
        + "\"offload_activations\" or fewer weights and states on the device would lower it"
    }
  }

  private func entry(_ name: String, _ text: String) -> [String] {
    TextLayout.wrap(text, TextLayout.width - 16).enumerated().map { index, line in
      "  " + TextLayout.left(index == 0 ? name : "", 13) + " " + line
    }
  }

  private func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  private static func name(_ plan: CheckpointTable.Plan) -> String {
    switch plan.checkpointing.policy {
    case .none: "none"
    case .full: "all layers"
    case .first(let layers): "first \(layers)"
    case .every(let interval): "every \(interval)."
    case .layers(let layers): "\(layers.count) layers"
    case .selective(let operations, let layers):
      (layers.map { "\($0) " } ?? "") + (operations == .torchtitan ? "torchtitan" : "selective")
    case .minCut(let budget, let layers):
      (layers.map { "\($0) " } ?? "") + "budget \(budget)"
    case .mixed: "mixed"
    case .auto: "auto"
    }
  }

  private static func cost(_ plan: CheckpointTable.Plan) -> String {
    more(plan.recompute.timeFraction)
  }

  private static func more(_ fraction: Double) -> String {
    fraction == 0 ? "+0 %" : "+" + TextLayout.percent(fraction)
  }

  private static let widths = [18, 13, 12, 8, 8, 8]

  private func row(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      switch index {
      case 0: text += TextLayout.left(cell, Self.widths[0])
      case Self.widths.indices: text += TextLayout.right(cell, Self.widths[index])
      default: text += "  " + cell
      }
    }
    return text
  }
}

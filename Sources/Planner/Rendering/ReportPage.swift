/// The parts of the text of one report, each a few lines.
struct ReportPage {
  let report: Report
  private let style: TextStyle
  let scale: MemoryScale
  private static let label = 19

  init(_ report: Report, _ style: TextStyle) {
    self.report = report
    self.style = style
    scale = MemoryScale(largest: max(report.need, report.capacity))
  }

  /// Whether it fits, by how much, on what.
  var verdict: [String] {
    let (word, paint): (String, TextStyle.Paint) =
      report.fits ? ("FITS", .good) : ("DOES NOT FIT", .bad)
    let title = TextLayout.line(report.name, TextLayout.width - word.count - 2)
    let rest =
      report.need <= report.capacity
      ? "\(scale.text(margin)) to spare" : "\(scale.text(margin)) too much"
    let line =
      "  needs \(scale.text(report.need)) of \(scale.text(report.capacity)) per device, \(rest)"
    return [
      style.paint(word, paint) + "  " + style.paint(title, .strong), line,
      TextLayout.line("  on \(report.device)", TextLayout.width),
    ] + hostVerdict
  }

  /// What lies between need and capacity, whichever is larger.
  private var margin: Bytes {
    difference(
      max(report.capacity, report.need), min(report.capacity, report.need))
  }

  /// A bar for each role at the peak, and for what comes on top of live tensors.
  var bars: [String] {
    var rows: [(label: String, amount: Bytes, full: String)] = []
    for role in Role.allCases where report.peak.breakdown[role] != .zero {
      rows.append((Self.name(of: role), report.peak.breakdown[role], "█"))
    }
    rows.append(("allocator, context", difference(report.need, report.peak.live), "▓"))
    let isEnough = report.need <= report.capacity
    rows.append((isEnough ? "free" : "too much", margin, isEnough ? "░" : "▒"))
    let whole = max(report.need, report.capacity)
    return rows.map { row in
      let amount = TextLayout.right(scale.text(row.amount), 12)
      let bar = Self.bar(row.amount, of: whole, with: row.full)
      let line = "  \(TextLayout.left(row.label, Self.label))\(amount)"
      return bar.isEmpty ? line : "\(line)  \(bar)"
    }
  }

  /// Where the peak is, each phase, recomputation, work, devices, model.
  var facts: [String] {
    var lines = [
      fact("peak", "\(report.peak.phase.key), \(report.peak.operation)"),
      "  " + style.paint(Self.row("phase", "live", "allocated", "reserved", "at"), .faint),
    ]
    for phase in report.phases {
      let row = Self.row(
        phase.phase.key, scale.text(phase.live), scale.text(phase.allocated),
        scale.text(phase.reserved), phase.operation)
      lines.append(TextLayout.line("  " + row, TextLayout.width))
    }
    lines += hostFacts
    if let loading = report.loading, loading.device > report.peak.device {
      lines.append(fact("loading", "\(scale.text(loading.device)) while weights are quantized"))
    }
    let minimum = report.devices.minimum.map { "\($0) is the least" } ?? "no number is enough"
    let flops = TextLayout.metric(Double(report.flops.count), "FLOP")
    lines += [
      fact("recompute", Self.text(report.recompute)),
      fact("devices", "\(report.devices.used) used, \(minimum)"),
    ]
    if let communication = report.communication {
      let sent = communication.sent.map {
        "\($0.collective.replacing("_", with: "-")) \(TextLayout.metric($0.bytes, "B"))"
      }
      let exposed = TextLayout.duration(communication.exposedSeconds)
      lines += TextLayout.wrap(
        "sends " + sent.joined(separator: ", ")
          + " a step, about \(TextLayout.duration(communication.seconds)), \(exposed) of it exposed",
        TextLayout.width - 13
      ).enumerated().map { fact($0 == 0 ? "network" : "", $1) }
    }
    lines += pipelineFacts
    lines += paragraph("step", "\(flops), \(Self.text(report.time))")
    lines += paragraph("speed", Self.speed(report.time))
    lines += paragraph("time", Self.shares(report.time))
    lines.append(fact("model", model))
    lines += runFacts
    return lines
  }

  private var model: String {
    let all = TextLayout.grouped(report.parameters)
    let trained = TextLayout.grouped(report.trainableParameters)
    let active = report.activeParameters.map {
      ", \(TextLayout.grouped($0)) active"
    }
    let isPart = report.trainableParameters != report.parameters
    return "\(report.model), \(all) parameters" + (active ?? "")
      + (isPart ? ", \(trained) of them trained" : "")
  }

  /// What would make it fit.
  func changes(_ remedies: [Remedy]) -> [String] {
    guard !remedies.isEmpty else {
      return ["  No change that was tried makes it fit on this device."]
    }
    var lines = ["  " + style.paint("What makes it fit, least recomputation first:", .strong)]
    for remedy in remedies {
      let host = remedy.report.host.map { ", \(scale.text($0.needed)) on the host" } ?? ""
      let need = "needs \(scale.text(remedy.report.peak.device))" + host
      let recompute = "recompute \(Self.text(remedy.report.recompute))"
      let cost = remedy.cost.isEmpty ? "" : "; \(remedy.cost)"
      lines += TextLayout.wrap(remedy.change, 74).map { "    " + $0 }
      lines += TextLayout.wrap("\(need); \(recompute)\(cost)", 72).map { "      " + $0 }
    }
    return lines
  }

  /// The defaults in one paragraph, the other assumptions in another.
  var assumptions: [String] {
    let defaults = report.assumptions.filter { $0.source == "default" }.map(\.text)
    let others = report.assumptions.filter { $0.source != "default" }.map(\.text)
    var lines: [String] = []
    if !defaults.isEmpty { lines += paragraph("defaults", defaults.joined(separator: ", ")) }
    if !others.isEmpty { lines += paragraph("assumed", others.joined(separator: "; ")) }
    return lines
  }

  func fact(_ name: String, _ text: String) -> String {
    let room = TextLayout.width - 2 - 11
    let label = TextLayout.left(name, 11)
    return "  " + style.paint(label, .faint) + TextLayout.line(text, room)
  }

  private func paragraph(_ name: String, _ text: String) -> [String] {
    TextLayout.wrap(text, TextLayout.width - 2 - 11).enumerated().map { index, line in
      fact(index == 0 ? name : "", line)
    }
  }

  /// `a − b`, nothing where that is not positive.
  private func difference(_ a: Bytes, _ b: Bytes) -> Bytes {
    max((try? a - b) ?? .zero, .zero)
  }

  private static func row(
    _ name: String, _ live: String, _ allocated: String, _ reserved: String, _ place: String
  ) -> String {
    TextLayout.left(name, 11) + TextLayout.right(live, 10) + TextLayout.right(allocated, 12)
      + TextLayout.right(reserved, 12) + "  " + place
  }

  /// `+33.3 % FLOPs, +31.0 % time`, or `none`.
  static func text(_ recompute: Report.Recompute) -> String {
    guard recompute.flopsFraction != 0 || recompute.timeFraction != 0 else { return "none" }
    let flops = TextLayout.percent(recompute.flopsFraction)
    return "+\(flops) FLOPs, +\(TextLayout.percent(recompute.timeFraction)) time"
  }

  /// A bar in proportion to `whole`; a hair for what is there but too small.
  private static func bar(_ amount: Bytes, of whole: Bytes, with full: String) -> String {
    guard amount > .zero, whole > .zero else { return "" }
    let room = TextLayout.width - 2 - label - 12 - 2
    let part = Double(amount.count) / Double(whole.count) * Double(room)
    let cells = min(room, Int(exactly: part.rounded()) ?? 0)
    return cells > 0 ? String(repeating: full, count: cells) : "▏"
  }

  private static func name(of role: Role) -> String {
    role == .optimizerState ? "optimizer state" : role.key
  }
}

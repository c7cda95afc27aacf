/// The sections of a report as HTML.
struct HTMLReport {
  private let report: Report
  private let scale: MemoryScale

  init(_ report: Report) {
    self.report = report
    scale = MemoryScale(largest: max(report.need, report.capacity))
  }

  /// A document from the verdict to the scenario.
  static func sections(_ document: ReportDocument) -> String {
    let page = Self(document.report)
    let chart = document.timeline.map { MemoryChart($0, document.report).html } ?? ""
    var text = page.verdict
    text += HTMLText.section("Memory over the step", chart)
    text += page.breakdown + page.phases
    if let remedies = document.remedies { text += page.changes(remedies) }
    text += page.facts
    if let ladder = document.ladder { text += page.ladder(ladder) }
    text += page.assumptions
    let scenario = HTMLText.escaped(lines: JSONWriter.text(document.scenario))
    text += HTMLText.section(
      "The scenario",
      "<p>Saved as <code>scenario.json</code>, <code>plan report scenario.json</code> gives this page again.</p>\n"
        + "<pre>\(scenario)</pre>\n")
    return text
  }

  /// A report without its document.
  static func sections(_ report: Report, _ remedies: [Remedy]?) -> String {
    let page = Self(report)
    return page.verdict + page.breakdown + page.phases + (remedies.map(page.changes) ?? "")
      + page.facts + page.assumptions
  }

  private var verdict: String {
    let margin =
      report.need <= report.capacity
      ? "\(scale.text(difference(report.capacity, report.need))) to spare"
      : "\(scale.text(difference(report.need, report.capacity))) too much"
    return """
      <h1>\(HTMLText.escaped(report.name))</h1>
      <div class="verdict\(report.fits ? " fits" : "")">
      <strong>\(report.fits ? "Fits" : "Does not fit")</strong>
      <p>Needs \(scale.text(report.need)) of the \(scale.text(report.capacity)) that \
      \(HTMLText.escaped(report.device)) offers, \(margin).</p>
      <p class="faint">Peak: \(report.peak.phase.key), \(HTMLText.escaped(report.peak.operation))</p>
      </div>

      """
  }

  private var breakdown: String {
    var rows: [(name: String, key: String, amount: Bytes)] = []
    for role in Role.allCases where report.peak.breakdown[role] != .zero {
      let name = role == .optimizerState ? "optimizer state" : role.key
      rows.append((name, role.key, report.peak.breakdown[role]))
    }
    rows.append(("allocator, context", "other", difference(report.need, report.peak.live)))
    let whole = Double(max(report.need, report.capacity).count)
    let cells = rows.map { row in
      let share = Decimal.text(Double(row.amount.count) / max(whole, 1) * 100, digits: 2)
      return [
        row.name, scale.text(row.amount),
        "<span class=\"bar \(row.key)\" style=\"width:\(share)%\"></span>",
      ]
    }
    return HTMLText.section(
      "What the peak is made of",
      HTMLText.table(
        ["", "at the peak", report.fits ? "of the device" : "of the need"], cells, numbers: [1]
      )
      .replacing("<td><span class=\"bar", with: "<td class=\"room\"><span class=\"bar"))
  }

  private var phases: String {
    let rows = report.phases.map { phase in
      [
        phase.phase.key, scale.text(phase.live), scale.text(phase.allocated),
        scale.text(phase.reserved), HTMLText.escaped(phase.operation),
      ]
    }
    return HTMLText.section(
      "Phases",
      HTMLText.table(
        ["phase", "live", "allocated", "reserved", "highest at"], rows, numbers: [1, 2, 3]))
  }

  private func changes(_ remedies: [Remedy]) -> String {
    guard !remedies.isEmpty else {
      return HTMLText.section(
        "What would make it fit", "<p>No change that was tried makes it fit on this device.</p>\n")
    }
    let rows = remedies.map { remedy in
      [
        "<code>\(HTMLText.escaped(remedy.change))</code>", scale.text(remedy.report.peak.device),
        HTMLText.escaped(ReportPage.text(remedy.report.recompute)),
        HTMLText.escaped(remedy.cost.isEmpty ? "nothing else" : remedy.cost),
      ]
    }
    return HTMLText.section(
      "What would make it fit",
      HTMLText.table(["change", "needs", "recompute", "costs"], rows, numbers: [1]))
  }

  private var facts: String {
    let minimum = report.devices.minimum.map { "\($0) is the least" } ?? "no number is enough"
    let flops = TextLayout.metric(Double(report.flops.count), "FLOP")
    var facts = [
      ("Model", "\(report.model), \(TextLayout.grouped(report.parameters)) parameters"),
      ("Trained", "\(TextLayout.grouped(report.trainableParameters)) parameters"),
      ("Device", report.device),
      ("Devices", "\(report.devices.used) used, \(minimum)"),
      ("Recomputation", ReportPage.text(report.recompute)),
      (
        "Step",
        "\(flops), at least \(TextLayout.duration(report.seconds)) at the device's peak rates"
      ),
    ]
    if let communication = report.communication {
      facts.append(
        (
          "Network",
          "sends \(TextLayout.metric(communication.total, "B")) a step, "
            + "about \(TextLayout.duration(communication.seconds))"
        ))
    }
    if let pipeline = report.pipeline {
      let bubble = Decimal.text(100 * pipeline.bubble, digits: 1)
      let stages = pipeline.stages.flatMap(\.ranks).count
      facts.append(
        (
          "Pipeline",
          "\(pipeline.schedule) over \(stages) ranks, rank \(pipeline.binding) needs most, "
            + "\(bubble) % bubble"
        ))
    }
    if let host = report.host { facts.append(("Host memory", scale.text(host.needed))) }
    if let loading = report.loading {
      facts.append(("Loading", "\(scale.text(loading.device)) while weights are quantized"))
    }
    let items = facts.map { "<dt>\($0.0)</dt><dd>\(HTMLText.escaped($0.1))</dd>\n" }
    return HTMLText.section("The run", "<dl>\n\(items.joined())</dl>\n")
  }

  /// Techniques side by side.
  func ladder(_ ladder: Ladder) -> String {
    let rows = ladder.rungs.map { rung in
      [
        HTMLText.escaped(rung.label), scale.text(rung.report.peak.live),
        scale.text(rung.report.peak.device),
        HTMLText.escaped(ReportPage.text(rung.report.recompute)), rung.report.fits ? "fits" : "no",
      ]
    }
    return HTMLText.section(
      "Technique by technique",
      HTMLText.table(["technique", "live", "needed", "recompute", ""], rows, numbers: [1, 2]))
  }

  private var assumptions: String {
    let rows = report.assumptions.map {
      [HTMLText.escaped($0.text), HTMLText.escaped($0.source)]
    }
    guard !rows.isEmpty else { return "" }
    return HTMLText.section("Taken for granted", HTMLText.table(["what", "source"], rows))
  }

  private func difference(_ a: Bytes, _ b: Bytes) -> Bytes { max((try? a - b) ?? .zero, .zero) }
}

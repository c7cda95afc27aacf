/// The sections of one report, as blocks: from the verdict to what was taken for granted.
struct ReportContent {
  let report: Report
  let scale: MemoryScale

  init(_ report: Report) {
    self.report = report
    scale = MemoryScale(largest: max(report.need, report.capacity))
  }

  /// A report without its document.
  static func blocks(_ report: Report, _ remedies: [Remedy]?) -> [DocumentBlock] {
    let content = Self(report)
    return content.verdict + content.breakdown + content.phases
      + (remedies.map(content.changes) ?? []) + content.facts + content.assumptions
  }

  /// The name, whether it fits, by how much, and where the peak is.
  var verdict: [DocumentBlock] {
    let margin =
      report.need <= report.capacity
      ? "\(scale.text(difference(report.capacity, report.need))) to spare"
      : "\(scale.text(difference(report.need, report.capacity))) too much"
    return [
      .title(report.name),
      .verdict(
        fits: report.fits,
        lines: [
          "Needs \(scale.text(report.need)) of the \(scale.text(report.capacity)) that "
            + "\(report.device) offers, \(margin).",
          "Peak: \(report.peak.phase.key), \(report.peak.operation)",
        ]),
    ]
  }

  /// What is live at the peak, by role, and what comes on top.
  var breakdown: [DocumentBlock] {
    let whole = Double(max(report.need, report.capacity).count)
    func bar(_ name: String, _ key: String, _ amount: Bytes) -> DocumentBar {
      DocumentBar(
        name: name, key: key, amount: scale.text(amount),
        share: Double(amount.count) / max(whole, 1))
    }
    var bars = Role.allCases.filter { report.peak.breakdown[$0] != .zero }.map {
      bar(
        $0 == .optimizerState ? "optimizer state" : $0.key, $0.key, report.peak.breakdown[$0])
    }
    bars.append(bar("allocator, context", "other", difference(report.need, report.peak.live)))
    return [
      .heading("What the peak is made of"),
      .bars(bars, whole: report.fits ? "of the device" : "of the need"),
    ]
  }

  /// Each phase with its highest point.
  var phases: [DocumentBlock] {
    let rows = report.phases.map { phase -> [DocumentTable.Cell] in
      [
        .text(phase.phase.key), .text(scale.text(phase.live)), .text(scale.text(phase.allocated)),
        .text(scale.text(phase.reserved)), .text(phase.operation),
      ]
    }
    return [
      .heading("Phases"),
      .table(
        DocumentTable(
          headings: ["phase", "live", "allocated", "reserved", "highest at"], rows: rows,
          numbers: [1, 2, 3])),
    ]
  }

  /// What would make it fit.
  func changes(_ remedies: [Remedy]) -> [DocumentBlock] {
    guard !remedies.isEmpty else {
      return [
        .heading("What would make it fit"),
        .paragraph("No change that was tried makes it fit on this device."),
      ]
    }
    let rows = remedies.map { remedy -> [DocumentTable.Cell] in
      [
        .code(remedy.change), .text(scale.text(remedy.report.peak.device)),
        .text(ReportPage.text(remedy.report.recompute)),
        .text(remedy.cost.isEmpty ? "nothing else" : remedy.cost),
      ]
    }
    return [
      .heading("What would make it fit"),
      .table(
        DocumentTable(
          headings: ["change", "needs", "recompute", "costs"], rows: rows, numbers: [1])),
    ]
  }

  /// Model, devices, step.
  var facts: [DocumentBlock] {
    let minimum = report.devices.minimum.map { "\($0) is the least" } ?? "no number is enough"
    let flops = TextLayout.metric(Double(report.flops.count), "FLOP")
    var facts: [(name: String, text: String)] = [
      ("Model", "\(report.model), \(TextLayout.grouped(report.parameters)) parameters"),
      ("Trained", "\(TextLayout.grouped(report.trainableParameters)) parameters"),
      ("Device", report.device),
      ("Devices", "\(report.devices.used) used, \(minimum)"),
      ("Recomputation", ReportPage.text(report.recompute)),
      ("Step", "\(flops) on each device, \(ReportPage.text(report.time))"),
      ("Speed", ReportPage.speed(report.time)),
      ("Time goes to", ReportPage.shares(report.time)),
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
    return [.heading("The step"), .facts(facts)]
  }

  /// Techniques side by side.
  func ladder(_ ladder: Ladder) -> [DocumentBlock] {
    let rows = ladder.rungs.map { rung -> [DocumentTable.Cell] in
      [
        .text(rung.label), .text(scale.text(rung.report.peak.live)),
        .text(scale.text(rung.report.peak.device)), .text(ReportPage.text(rung.report.recompute)),
        .text(rung.report.fits ? "fits" : "no"),
      ]
    }
    return [
      .heading("Technique by technique"),
      .table(
        DocumentTable(
          headings: ["technique", "live", "needed", "recompute", "fits"], rows: rows,
          numbers: [1, 2])),
    ]
  }

  /// Everything that was taken for granted, each with its source.
  var assumptions: [DocumentBlock] {
    let all = report.assumptions + (report.run?.assumptions ?? [])
    guard !all.isEmpty else { return [] }
    return [
      .heading("Taken for granted"),
      .table(
        DocumentTable(
          headings: ["what", "source"], rows: all.map { [.text($0.text), .text($0.source)] })),
    ]
  }

  func difference(_ a: Bytes, _ b: Bytes) -> Bytes { max((try? a - b) ?? .zero, .zero) }
}

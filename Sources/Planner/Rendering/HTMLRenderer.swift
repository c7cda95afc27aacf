/// Reports as one HTML file: no script, nothing from a network, the same text on every run.
enum HTMLRenderer: Renderer {
  static let name = "html"
  static let summary = "One page for people who decide, with a chart of the step."
  static let wantsDocument = true

  static func render(_ document: ReportDocument, style: TextStyle) -> String {
    HTMLText.page(title: document.report.name, HTMLReport.sections(document))
  }

  static func render(_ answer: Answer, style: TextStyle) -> String {
    render([answer], style: style)
  }

  static func render(_ answers: [Answer], style: TextStyle) -> String {
    let parts = answers.map { answer in
      switch answer {
      case .planned(let report, let remedies): HTMLReport.sections(report, remedies)
      case .refused(let name, let error):
        "<h1>\(HTMLText.escaped(name))</h1>\n<div class=\"verdict\"><strong>Refused</strong>\n"
          + "<p>\(HTMLText.escaped(error.path.isEmpty ? "" : error.path + ": "))"
          + "\(HTMLText.escaped(error.message))</p>\n<p>\(HTMLText.escaped(error.fix))</p></div>\n"
      }
    }
    return HTMLText.page(title: "plan", parts.joined())
  }

  static func render(_ ladder: Ladder, style: TextStyle) -> String {
    guard let last = ladder.rungs.last?.report else { return HTMLText.page(title: "plan", "") }
    return HTMLText.page(
      title: last.name,
      "<h1>\(HTMLText.escaped(last.name))</h1>\n" + HTMLReport(last).ladder(ladder))
  }

  static func render(_ checkpoints: CheckpointTable, style: TextStyle) -> String {
    let rows = checkpoints.plans.filter(\.isOnFront).map { plan in
      [
        HTMLText.escaped(JSONWriter.line(plan.checkpointing.setting)), plan.live.description,
        TextLayout.percent(plan.recompute.flopsFraction),
        TextLayout.percent(plan.recompute.timeFraction), plan.phase.key,
      ]
    }
    let chosen = checkpoints.recommended.map {
      "<p>The fastest that fits: <code>"
        + HTMLText.escaped(JSONWriter.line($0.plan.checkpointing.setting)) + "</code></p>\n"
    }
    return HTMLText.page(
      title: checkpoints.name,
      "<h1>\(HTMLText.escaped(checkpoints.name))</h1>\n"
        + (chosen ?? "<p>No policy of whole layers fits.</p>\n")
        + HTMLText.table(
          ["checkpointing", "live", "FLOPs", "time", "peak in"], rows, numbers: [1, 2, 3]))
  }

  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    let rows = devices.rows.map { row in
      [
        HTMLText.escaped(row.device.name), row.count.map { "\($0)" } ?? "none",
        row.device.memory.description, row.report?.peak.device.description ?? "",
        HTMLText.escaped(row.reason ?? ""),
      ]
    }
    return HTMLText.page(
      title: devices.name,
      "<h1>\(HTMLText.escaped(devices.name))</h1>\n"
        + HTMLText.table(
          ["device", "number", "memory", "needed", ""], rows, numbers: [1, 2, 3]))
  }
}

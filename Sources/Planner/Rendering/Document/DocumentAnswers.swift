/// What the commands answer, as blocks for the formats that are documents.
enum DocumentAnswers {
  /// One scenario, or a list of them.
  static func blocks(_ answers: [Answer]) -> [DocumentBlock] {
    answers.flatMap { answer -> [DocumentBlock] in
      switch answer {
      case .planned(let report, let remedies): return ReportContent.blocks(report, remedies)
      case .refused(let name, let error):
        let place = error.path.isEmpty ? "" : error.path + ": "
        return [.title(name), .paragraph("Refused: \(place)\(error.message). \(error.fix)")]
      }
    }
  }

  /// Techniques side by side.
  static func blocks(_ ladder: Ladder) -> [DocumentBlock] {
    guard let last = ladder.rungs.last?.report else { return [] }
    return [.title(last.name)] + ReportContent(last).ladder(ladder)
  }

  /// Policies that no other one beats.
  static func blocks(_ checkpoints: CheckpointTable) -> [DocumentBlock] {
    let rows = checkpoints.front.map { plan -> [DocumentTable.Cell] in
      [
        .code(JSONWriter.line(plan.checkpointing.setting)), .text(plan.live.description),
        .text(TextLayout.percent(plan.recompute.flopsFraction)),
        .text(TextLayout.percent(plan.recompute.timeFraction)), .text(plan.phase.key),
      ]
    }
    let chosen = checkpoints.recommended.map {
      "The fastest that fits: \(JSONWriter.line($0.plan.checkpointing.setting))"
    }
    return [
      .title(checkpoints.name), .paragraph(chosen ?? "No policy of whole layers fits."),
      .figure(FrontChart(checkpoints).html, instead: ""),
      .table(
        DocumentTable(
          headings: ["checkpointing", "live", "FLOPs", "time", "peak in"], rows: rows,
          numbers: [1, 2, 3])),
    ]
  }

  /// Kinds of devices side by side.
  static func blocks(_ devices: DeviceTable) -> [DocumentBlock] {
    let rows = devices.rows.map { row -> [DocumentTable.Cell] in
      let run = row.run
      return [
        .text(row.device.name), .text(row.count.map(TextLayout.grouped) ?? "none"),
        .text(run.map { TextLayout.grouped($0.nodes) } ?? ""),
        .text(row.count == nil ? "" : row.report?.need.description ?? ""),
        .text(run.map { CostText.time(hours: $0.time.hours) } ?? ""),
        .text(CostText.short(run?.cost.rented)), .text(CostText.short(run?.cost.bought)),
        .text(CostText.short(run?.energy?.kilowattHours)), .text(row.reason ?? ""),
      ]
    }
    return [
      .title(devices.name),
      .paragraph(
        "For " + (devices.isRunGiven ? "the scenario's run" : "a billion tokens") + ", costs in "
          + devices.currency + "."),
      .table(
        DocumentTable(
          headings: [
            "device", "number", "nodes", "needs each", "run", "rented", "bought", "kWh", "",
          ], rows: rows, numbers: [1, 2, 3, 4, 5, 6, 7])),
      .list(devices.unplanned.map { "\($0.name) is not planned: \($0.reason)" }),
    ]
  }
}

extension PurchaseDocument {
  /// Checkpointing policies that no other one beats: a picture and a table.
  var checkpointing: [DocumentBlock] {
    guard let table = document.checkpoints, table.helps else { return [] }
    let fastest = table.front.first?.seconds ?? 0
    let chosen = table.recommended?.plan.checkpointing.setting
    let front = Self.thinned(table.front, keeping: chosen)
    let rows = front.map { plan -> [DocumentTable.Cell] in
      let setting = JSONWriter.line(plan.checkpointing.setting)
      return [
        .code(setting), .text(content.scale.text(plan.live)),
        .text("+" + TextLayout.percent(plan.recompute.flopsFraction)),
        .text("+" + TextLayout.percent(fastest > 0 ? plan.seconds / fastest - 1 : 0)),
        .text(plan.checkpointing.setting == chosen ? "the fastest that fits" : ""),
      ]
    }
    let text =
      table.recommended == nil
      ? "No policy of whole layers fits; less memory costs more time:"
      : "Less memory costs more time. No other policy of whole layers is better in both:"
    return [
      .heading("Checkpointing: memory against time"), .paragraph(text),
      .figure(FrontChart(table).html, instead: ""),
      .table(
        DocumentTable(
          headings: ["checkpointing", "live", "FLOPs", "arithmetic", ""], rows: rows,
          numbers: [1, 2, 3])),
    ]
  }

  /// At most a dozen plans: both ends, the chosen one, and the others evenly between.
  private static func thinned(_ front: [CheckpointTable.Plan], keeping chosen: JSONValue?)
    -> [CheckpointTable.Plan]
  {
    let most = 10
    guard front.count > most else { return front }
    let last = front.count - 1
    let kept = Set((0..<most).map { $0 * last / (most - 1) })
    return front.indices.filter {
      kept.contains($0) || front[$0].checkpointing.setting == chosen
    }.map { front[$0] }
  }

  /// Where it stops fitting.
  var sensitivity: [DocumentBlock] {
    guard let sensitivity = document.sensitivity else { return [] }
    let scale = content.scale
    let rows = sensitivity.rows.map { row -> [DocumentTable.Cell] in
      func text(_ end: (value: Int, report: Report)?) -> String {
        guard let end else { return "" }
        let parameters =
          row.quantity == .layers
          ? " (\(CostText.many(end.report.parameters)) parameters)" : ""
        return TextLayout.grouped(end.value) + parameters
      }
      return [
        .text(row.quantity.name), .text(TextLayout.grouped(row.now)),
        .text(row.largest == nil ? "none fits" : text(row.largest)),
        .text(row.largest.map { scale.text($0.report.need) } ?? ""),
        .text(row.beyond == nil ? "nothing that was tried" : text(row.beyond)),
      ]
    }
    var blocks: [DocumentBlock] = [
      .heading("Where it stops fitting"),
      .paragraph(
        "One number grows, all others stay; each end was planned. The devices offer "
          + "\(scale.text(report.capacity)) each."),
      .table(
        DocumentTable(
          headings: ["", "now", "the most that fits", "needs", "does not fit"],
          rows: rows, numbers: [1, 2, 3, 4])),
    ]
    if sensitivity.models.count > 1 {
      let models = sensitivity.models.map { model -> [DocumentTable.Cell] in
        [
          model.model == report.model ? .strong(model.model) : .text(model.model),
          .text(CostText.many(model.report.parameters)),
          .text(scale.text(model.report.need)), .text(model.report.fits ? "fits" : "no"),
        ]
      }
      blocks.append(.paragraph("Other models of the family in its place, on the same devices:"))
      blocks.append(
        .table(
          DocumentTable(
            headings: ["model", "parameters", "needs", ""], rows: models, numbers: [1, 2])))
    }
    return blocks
  }
}

extension Sensitivity.Quantity {
  /// What a reader calls it.
  fileprivate var name: String {
    switch self {
    case .microBatch: "sequences of a micro-batch"
    case .sequence: "tokens of a sequence"
    case .layers: "layers of these widths"
    }
  }
}

/// Reports as one HTML file: no script, nothing from a network, the same text on every run.
enum HTMLRenderer: Renderer {
  static let name = "html"
  static let summary = "One page for people who decide, with a chart of the step."
  static let wantsDocument = true

  static func render(_ document: ReportDocument, style: TextStyle) -> String {
    page(document.report.name, PurchaseDocument(document).blocks)
  }

  static func render(_ answer: Answer, style: TextStyle) -> String {
    render([answer], style: style)
  }

  static func render(_ answers: [Answer], style: TextStyle) -> String {
    page("plan", DocumentAnswers.blocks(answers))
  }

  static func render(_ ladder: Ladder, style: TextStyle) -> String {
    page(ladder.rungs.last?.report.name ?? "plan", DocumentAnswers.blocks(ladder))
  }

  static func render(_ checkpoints: CheckpointTable, style: TextStyle) -> String {
    page(checkpoints.name, DocumentAnswers.blocks(checkpoints))
  }

  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    page(devices.name, DocumentAnswers.blocks(devices))
  }

  private static func page(_ title: String, _ blocks: [DocumentBlock]) -> String {
    HTMLText.page(title: title, HTMLBlocks.html(blocks))
  }
}

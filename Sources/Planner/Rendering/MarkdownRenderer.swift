/// Reports as Markdown, with GitHub's tables: for wikis, tickets and pull requests.
enum MarkdownRenderer: Renderer {
  static let name = "markdown"
  static let summary = "The page of \"html\" as Markdown, without its charts."
  static let wantsDocument = true

  static func render(_ document: ReportDocument, style: TextStyle) -> String {
    MarkdownBlocks.markdown(PurchaseDocument(document).blocks)
  }

  static func render(_ answer: Answer, style: TextStyle) -> String {
    MarkdownBlocks.markdown(DocumentAnswers.blocks([answer]))
  }

  static func render(_ answers: [Answer], style: TextStyle) -> String {
    MarkdownBlocks.markdown(DocumentAnswers.blocks(answers))
  }

  static func render(_ ladder: Ladder, style: TextStyle) -> String {
    MarkdownBlocks.markdown(DocumentAnswers.blocks(ladder))
  }

  static func render(_ checkpoints: CheckpointTable, style: TextStyle) -> String {
    MarkdownBlocks.markdown(DocumentAnswers.blocks(checkpoints))
  }

  static func render(_ devices: DeviceTable, style: TextStyle) -> String {
    MarkdownBlocks.markdown(DocumentAnswers.blocks(devices))
  }
}

/// A report for people: one screen of 80 columns, the verdict first.
enum TextRenderer: Renderer {
  static let name = "text"
  static let summary = "One screen for people; its wording may change."

  static func render(_ answer: Answer, style: TextStyle) -> String {
    switch answer {
    case .planned(let report, let remedies):
      let page = ReportPage(report, style)
      var lines = page.verdict + [""] + page.bars + [""] + page.facts
      if let remedies, !report.fits { lines += [""] + page.changes(remedies) }
      if !report.assumptions.isEmpty { lines += [""] + page.assumptions }
      return lines.joined(separator: "\n") + "\n"
    case .refused(let name, let error):
      return refusal(name, error, style)
    }
  }

  static func render(_ answers: [Answer], style: TextStyle) -> String {
    answers.map { render($0, style: style) }.joined(separator: "\n")
  }

  private static func refusal(_ name: String, _ error: PlanError, _ style: TextStyle) -> String {
    let verdict = style.paint("REFUSED", .bad) + "  " + TextLayout.line(name, 71)
    let place = error.path.isEmpty ? "" : error.path + ": "
    let lines = TextLayout.wrap(place + error.message, 78) + TextLayout.wrap(error.fix, 78)
    return ([verdict] + lines.map { "  " + $0 }).joined(separator: "\n") + "\n"
  }
}

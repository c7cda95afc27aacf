/// Writes a document's blocks as Markdown (GitHub's, for its tables).
enum MarkdownBlocks {
  /// The blocks with an empty line between two.
  static func markdown(_ blocks: [DocumentBlock]) -> String {
    blocks.map(markdown).filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private static func markdown(_ block: DocumentBlock) -> String {
    switch block {
    case .title(let name): return "# \(escaped(name))\n"
    case .heading(let name): return "## \(escaped(name))\n"
    case .paragraph(let text): return escaped(text) + "\n"
    case .figure(_, let text): return text.isEmpty ? "" : escaped(text) + "\n"
    case .code(let text, let language): return "```\(language)\n\(fenced(text))\n```\n"
    case .list(let items): return items.map { "- \(escaped($0))\n" }.joined()
    case .facts(let facts):
      return facts.map { "- **\(escaped($0.name))**: \(escaped($0.text))\n" }.joined()
    case .verdict(let fits, let lines):
      return "**\(fits ? "Fits" : "Does not fit").** "
        + lines.map(escaped).joined(separator: "  \n") + "\n"
    case .table(let table): return text(of: table)
    case .bars(let bars, _):
      let widest = bars.map(\.name.count).max() ?? 0
      let lines = bars.map { bar in
        let cells = Int((min(1, max(0, bar.share)) * 40).rounded())
        let mark = cells == 0 && bar.share > 0 ? "▏" : String(repeating: "█", count: cells)
        return TextLayout.left(TextLayout.printable(bar.name), widest)
          + TextLayout.right(bar.amount, 12) + "  " + mark
      }
      return "```\n\(lines.joined(separator: "\n"))\n```\n"
    }
  }

  /// A table with a rule below its headings.
  static func text(of table: DocumentTable) -> String {
    func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
    let rules = table.headings.indices.map { table.numbers.contains($0) ? "---:" : "---" }
    var text = row(table.headings.map(escaped)) + row(rules)
    for cells in table.rows { text += row(cells.map(cell)) }
    return text
  }

  private static func cell(_ cell: DocumentTable.Cell) -> String {
    switch cell {
    case .text(let text): return escaped(text)
    case .strong(let text): return "**\(escaped(text))**"
    case .code(let text):
      let plain = TextLayout.printable(text).replacing("`", with: "'").replacing("|", with: "\\|")
      return "`\(plain)`"
    }
  }

  /// Text in which nothing is markup.
  static func escaped(_ text: String) -> String {
    var safe = ""
    for character in TextLayout.printable(text) {
      if "\\`*[]<>|#~".contains(character) { safe.append("\\") }
      safe.append(character)
    }
    return safe
  }

  /// Text that does not end the fence around it.
  private static func fenced(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { TextLayout.printable(String($0)).replacing("```", with: "` ` `") }
      .joined(separator: "\n")
  }
}

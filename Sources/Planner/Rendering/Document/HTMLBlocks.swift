/// Writes a document's blocks as HTML.
enum HTMLBlocks {
  /// The blocks, each heading with what follows it in a section.
  static func html(_ blocks: [DocumentBlock]) -> String {
    var text = ""
    var isOpen = false
    for block in blocks {
      if case .title = block, isOpen {
        text += "</section>\n"
        isOpen = false
      }
      if case .heading(let name) = block {
        text += (isOpen ? "</section>\n" : "") + "<section>\n<h2>\(HTMLText.escaped(name))</h2>\n"
        isOpen = true
      } else {
        text += html(block)
      }
    }
    return text + (isOpen ? "</section>\n" : "")
  }

  private static func html(_ block: DocumentBlock) -> String {
    switch block {
    case .title(let name): return "<h1>\(HTMLText.escaped(name))</h1>\n"
    case .heading(let name): return "<h2>\(HTMLText.escaped(name))</h2>\n"
    case .paragraph(let text): return "<p>\(HTMLText.escaped(text))</p>\n"
    case .figure(let html, _): return html
    case .code(let text, _): return "<pre>\(HTMLText.escaped(lines: text))</pre>\n"
    case .list(let items):
      return "<ul>\n" + items.map { "<li>\(HTMLText.escaped($0))</li>\n" }.joined() + "</ul>\n"
    case .facts(let facts):
      let items = facts.map {
        "<dt>\(HTMLText.escaped($0.name))</dt><dd>\(HTMLText.escaped($0.text))</dd>\n"
      }
      return "<dl>\n\(items.joined())</dl>\n"
    case .verdict(let fits, let lines):
      var text = "<div class=\"verdict\(fits ? " fits" : "")\">\n"
      text += "<strong>\(fits ? "Fits" : "Does not fit")</strong>\n"
      for (index, line) in lines.enumerated() {
        text += "<p\(index == 0 ? "" : " class=\"faint\"")>\(HTMLText.escaped(line))</p>\n"
      }
      return text + "</div>\n"
    case .table(let table): return html(table)
    case .bars(let bars, let whole):
      let cells = bars.map { bar in
        let share = Decimal.text(bar.share * 100, digits: 2)
        return [
          HTMLText.escaped(bar.name), bar.amount,
          "<span class=\"bar \(bar.key)\" style=\"width:\(share)%\"></span>",
        ]
      }
      return HTMLText.table(["", "at the peak", whole], cells, numbers: [1])
        .replacing("<td><span class=\"bar", with: "<td class=\"room\"><span class=\"bar")
    }
  }

  private static func html(_ table: DocumentTable) -> String {
    let rows = table.rows.map { row in
      row.map { cell in
        let text = HTMLText.escaped(cell.text)
        return switch cell {
        case .text: text
        case .code: "<code>\(text)</code>"
        case .strong: "<b>\(text)</b>"
        }
      }
    }
    return HTMLText.table(table.headings, rows, numbers: table.numbers)
  }
}

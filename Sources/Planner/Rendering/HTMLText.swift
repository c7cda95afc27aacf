/// Pieces of HTML.
enum HTMLText {
  /// Text in which nothing is markup, and nothing steers the reader's display.
  static func escaped(_ text: String) -> String {
    var safe = ""
    for character in TextLayout.printable(text) {
      switch character {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "\"": safe += "&quot;"
      case "'": safe += "&#39;"
      default: safe.append(character)
      }
    }
    return safe
  }

  /// Several lines of such text.
  static func escaped(lines text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { escaped(String($0)) }
      .joined(separator: "\n")
  }

  /// A table that scrolls sideways where it is too wide; cells are HTML.
  static func table(_ headings: [String], _ rows: [[String]], numbers: Set<Int> = []) -> String {
    func row(_ cells: [String], _ tag: String) -> String {
      var text = "<tr>"
      for (index, cell) in cells.enumerated() {
        text += "<\(tag)\(numbers.contains(index) ? " class=\"number\"" : "")>\(cell)</\(tag)>"
      }
      return text + "</tr>\n"
    }
    return "<div class=\"wide\"><table>\n<thead>" + row(headings.map { escaped($0) }, "th")
      + "</thead>\n<tbody>\n" + rows.map { row($0, "td") }.joined() + "</tbody></table></div>\n"
  }

  /// A whole page around `body`.
  static func page(title: String, _ body: String) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(escaped(title))</title>
    <style>
    \(HTMLStyle.sheet)</style>
    </head>
    <body>
    <main>
    \(body)</main>
    </body>
    </html>

    """
  }
}

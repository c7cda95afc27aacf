import Planner

/// Rows of text in aligned columns, two blanks between them.
struct Table {
  /// A column's heading, and whether its cells are numbers.
  struct Column {
    var heading: String
    var isNumber = false
  }

  let columns: [Column]
  var rows: [[String]] = []

  /// The table with its headings; no line ends in blanks, and text in the last column goes on below itself.
  func text(style: TextStyle) -> String {
    let headings = columns.map(\.heading)
    var widths = headings.map(\.count)
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], cell.count)
      }
    }
    let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
    let room = max(20, TextLayout.width - before)
    var lines: [String] = []
    for var row in [headings] + rows {
      var rest: [String] = []
      if columns.last?.isNumber == false, row.count == columns.count, let text = row.last,
        text.count > room
      {
        // A word that has no room is not cut: it ends the next line.
        let isWord = !text.contains(" ")
        rest =
          isWord
          ? ["", TextLayout.right(text, TextLayout.width - before)] : TextLayout.wrap(text, room)
        row[row.count - 1] = rest.removeFirst()
      }
      var line = ""
      for (index, cell) in row.enumerated() where index < columns.count {
        let padded =
          columns[index].isNumber
          ? TextLayout.right(cell, widths[index]) : TextLayout.left(cell, widths[index])
        line += index == 0 ? padded : "  " + padded
      }
      while line.last == " " { line.removeLast() }
      lines.append(line + "\n")
      lines += rest.map { line in
        TextLayout.left("", min(before, TextLayout.width - line.count)) + line + "\n"
      }
    }
    return lines.joined()
  }
}

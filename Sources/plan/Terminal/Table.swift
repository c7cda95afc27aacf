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

  /// The table with its headings; no line ends in blanks.
  func text(style: TextStyle) -> String {
    let headings = columns.map(\.heading)
    var widths = headings.map(\.count)
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], cell.count)
      }
    }
    var lines: [String] = []
    for row in [headings] + rows {
      var line = ""
      for (index, cell) in row.enumerated() where index < columns.count {
        let padded =
          columns[index].isNumber
          ? TextLayout.right(cell, widths[index]) : TextLayout.left(cell, widths[index])
        line += index == 0 ? padded : "  " + padded
      }
      while line.last == " " { line.removeLast() }
      lines.append(line + "\n")
    }
    return lines.joined()
  }
}

/// A piece of a document, in no format yet; ``HTMLBlocks`` and ``MarkdownBlocks`` write it.
enum DocumentBlock {
  /// The name of the document.
  case title(String)
  /// Whether it fits, with a few lines.
  case verdict(fits: Bool, lines: [String])
  /// A section's name.
  case heading(String)
  /// Sentences.
  case paragraph(String)
  /// Names with what there is to say of each.
  case facts([(name: String, text: String)])
  /// Lines that stand for themselves.
  case list([String])
  /// Rows under headings.
  case table(DocumentTable)
  /// Amounts with a bar for each.
  case bars([DocumentBar], whole: String)
  /// Text as it is.
  case code(String, language: String)
  /// A picture for formats that can show one (an SVG in a figure), and what others say in its place.
  case figure(String, instead: String)
}

/// Rows under headings.
struct DocumentTable {
  /// One cell.
  enum Cell: ExpressibleByStringInterpolation {
    case text(String)
    case code(String)
    case strong(String)

    init(stringLiteral text: String) { self = .text(text) }

    /// The text, however it is dressed.
    var text: String {
      switch self {
      case .text(let text), .code(let text), .strong(let text): text
      }
    }
  }

  var headings: [String]
  var rows: [[Cell]]
  /// Columns of numbers.
  var numbers: Set<Int> = []
}

/// An amount as a part of a whole.
struct DocumentBar {
  var name: String
  /// The role that gives its colour.
  var key: String
  var amount: String
  /// Between 0 and 1.
  var share: Double
}

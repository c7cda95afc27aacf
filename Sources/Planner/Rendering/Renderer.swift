/// An output format for reports and ladders.
///
/// A new one is a file in this folder and a line in ``Renderers/all``. Every text ends with a line break.
public protocol Renderer: Sendable {
  /// The value of `--format`.
  static var name: String { get }
  /// One sentence for the help.
  static var summary: String { get }
  /// Whether one scenario is answered with all of a ``ReportDocument``.
  static var wantsDocument: Bool { get }
  /// One scenario with all that belongs to it.
  static func render(_ document: ReportDocument, style: TextStyle) -> String
  /// One scenario's answer.
  static func render(_ answer: Answer, style: TextStyle) -> String
  /// The answers to a list of scenarios, in their order.
  static func render(_ answers: [Answer], style: TextStyle) -> String
  /// Techniques side by side.
  static func render(_ ladder: Ladder, style: TextStyle) -> String
  /// Kinds of devices side by side.
  static func render(_ devices: DeviceTable, style: TextStyle) -> String
  /// Checkpointing policies side by side.
  static func render(_ checkpoints: CheckpointTable, style: TextStyle) -> String
}

extension Renderer {
  /// Most formats have no room for more than the report.
  public static var wantsDocument: Bool { false }

  /// The report and its remedies alone.
  public static func render(_ document: ReportDocument, style: TextStyle) -> String {
    render(.planned(document.report, remedies: document.remedies), style: style)
  }
}

/// The list of output formats.
public enum Renderers {
  /// Every format, one line each; the first is the default.
  public static let all: [any Renderer.Type] = [
    TextRenderer.self, JSONRenderer.self, HTMLRenderer.self, MarkdownRenderer.self,
  ]

  /// The format of this name, or `nil`.
  public static func named(_ name: String) -> (any Renderer.Type)? {
    for renderer in all where renderer.name == name { return renderer }
    return nil
  }
}

/// What became of one scenario.
public enum Answer: Sendable {
  /// A report, with the changes that would make the run fit; `nil` where nobody looked for them.
  case planned(Report, remedies: [Remedy]?)
  /// The scenario's name, and why it could not be planned.
  case refused(name: String, PlanError)
}

/// How text is dressed for a terminal.
public struct TextStyle: Hashable, Sendable {
  /// Whether ANSI colours are used.
  public var color: Bool

  /// Plain text unless told otherwise.
  public init(color: Bool = false) { self.color = color }

  enum Paint: String { case good = "1;32", bad = "1;31", faint = "2", strong = "1" }

  func paint(_ text: String, _ paint: Paint) -> String {
    color ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
  }
}

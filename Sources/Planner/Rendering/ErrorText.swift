/// An error for people: place and message in one line, the fix in the next.
public enum ErrorText {
  /// `error: PLACE: message`, a line break, `  fix: sentence`, a line break.
  public static func render(_ error: PlanError, style: TextStyle = TextStyle()) -> String {
    let place = error.path.isEmpty ? "" : TextLayout.printable(error.path) + ": "
    let message = TextLayout.printable(error.message)
    let fix = error.fix.isEmpty ? "" : "  fix: \(TextLayout.printable(error.fix))\n"
    return "\(style.paint("error:", .bad)) \(place)\(message)\n\(fix)"
  }
}

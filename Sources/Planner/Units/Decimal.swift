/// Writes numbers for people, without a locale.
public enum Decimal {
  /// `value` with exactly `digits` digits after the point (0 to 9), rounded to nearest.
  ///
  /// Values that are not finite, or too large for a 64-bit integer of units, are written as Swift writes them.
  public static func text(_ value: Double, digits: Int) -> String {
    let digits = min(max(digits, 0), 9)
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    guard value.isFinite, let units = Int(exactly: (abs(value) * scale).rounded()) else {
      return "\(value)"
    }
    let sign = value < 0 && units > 0 ? "-" : ""
    guard digits > 0 else { return sign + "\(units)" }
    let text = String(units)
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}

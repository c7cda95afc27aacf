/// A step's time in words.
extension ReportPage {
  /// `1.32 s expected (1.12 s to 1.65 s)`.
  static func text(_ time: StepTime) -> String {
    "\(TextLayout.duration(time.expected)) expected "
      + "(\(TextLayout.duration(time.low)) to \(TextLayout.duration(time.high)))"
  }

  /// `1,551 tokens/s, MFU 40.1 %, HFU 55.3 % (measured)`: how the device's efficiency is known.
  static func speed(_ time: StepTime) -> String {
    let all = tokens(time.tokensPerSecond)
    let each = time.devices > 1 ? ", \(tokens(time.tokensPerSecondPerDevice)) a device" : ""
    return "\(all) tokens/s\(each), MFU \(TextLayout.percent(time.mfu)), "
      + "HFU \(TextLayout.percent(time.hfu)) (\(time.basis.rawValue))"
  }

  /// `products 62 %, attention 10 %, …`: where the time goes, without what takes less than half a percent.
  static func shares(_ time: StepTime) -> String {
    time.parts.compactMap { part in
      let share = part.seconds / max(time.expected.value, .leastNormalMagnitude)
      guard share >= 0.005 else { return nil }
      return "\(names[part.key] ?? part.key) \(Decimal.text(share * 100, digits: 0)) %"
    }.joined(separator: ", ")
  }

  private static let names = [
    "matrix_products": "products", "memory_bound": "memory-bound",
    "communication": "exposed network",
    "offload": "exposed offload", "launches": "waiting for launches",
  ]

  private static func tokens(_ rate: Double) -> String {
    guard rate >= 10 else { return Decimal.text(rate, digits: 2) }
    return Int(exactly: rate.rounded()).map(TextLayout.grouped) ?? TextLayout.metric(rate, "")
  }
}

/// Amounts of money, hours, energy and tokens for people.
package enum CostText {
  /// Money in full: `1,234 USD`, `3.90 USD`.
  package static func money(_ amount: Double?, _ currency: String) -> String {
    amount.map { number($0) + " " + currency } ?? "no price"
  }

  /// Whole units in groups of three from 100 on, two decimals below.
  package static func number(_ amount: Double) -> String {
    guard abs(amount) >= 100, let whole = Int(exactly: amount.rounded()) else {
      return Decimal.text(amount, digits: 2)
    }
    return TextLayout.grouped(whole)
  }

  /// A large count in words: `7.2 billion`.
  package static func many(_ count: Int) -> String {
    for (size, name) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")]
    where Double(count) >= size {
      return Decimal.text(Double(count) / size, digits: 1) + " " + name
    }
    return TextLayout.grouped(count)
  }

  /// A count that may have a fraction: `3`, `0.5`.
  package static func count(_ amount: Double) -> String {
    Int(exactly: amount).map(TextLayout.grouped) ?? number(amount)
  }

  /// At most six characters: `3.90`, `1,234`, `123k`, `4.56M`.
  package static func short(_ amount: Double?) -> String {
    guard let amount, amount.isFinite else { return "-" }
    if abs(amount) < 9_999.5 { return number(amount) }
    for (size, unit) in [(1e6, "k"), (1e9, "M"), (1e12, "G"), (1e15, "T")] where amount < size {
      let value = amount / size * 1000
      return Decimal.text(value, digits: value < 10 ? 2 : value < 100 ? 1 : 0) + unit
    }
    return "huge"
  }

  /// Hours with a unit that suits them: `12.3 s`, `4.2 min`, `7.0 h`, `12.5 days`, `21.0 years`.
  package static func time(hours: Double) -> String {
    switch hours {
    case ..<(1.0 / 60): Decimal.text(hours * 3600, digits: 1) + " s"
    case ..<1: Decimal.text(hours * 60, digits: 1) + " min"
    case ..<72: Decimal.text(hours, digits: 1) + " h"
    case ..<8760: Decimal.text(hours / 24, digits: 1) + " days"
    default: Decimal.text(hours / 8760, digits: 1) + " years"
    }
  }

  /// Storage in powers of ten, as disks are sold: `101 GB`.
  package static func storage(_ bytes: Bytes) -> String {
    TextLayout.metric(Double(bytes.count), "B")
  }
}

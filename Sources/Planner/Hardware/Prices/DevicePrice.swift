/// What a device was sold or rented for, by someone on some day.
public struct DevicePrice: Hashable, Sendable {
  /// For one device, or for one device and hour.
  public var amount: Double
  /// Its currency: `USD`.
  public var currency: String
  /// Who asked for it: `Crusoe, on demand`.
  public var seller: String
  /// The day, month or year it was seen: `2026-08-19`; `undated` where nobody says.
  public var asOf: String
  /// Where it was read.
  public var source: String

  /// Describes a price.
  public init(amount: Double, currency: String, seller: String, asOf: String, source: String) {
    self.amount = amount
    self.currency = currency
    self.seller = seller
    self.asOf = asOf
    self.source = source
  }

  /// Whether it says when it was seen.
  var isDated: Bool { asOf.first?.isNumber ?? false }

  /// Who asked for it, and when: `Crusoe, on demand, 2026-08-19`.
  public var provenance: String { asOf.isEmpty ? seller : "\(seller), \(asOf)" }
}

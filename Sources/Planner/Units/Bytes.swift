/// An amount of memory.
public struct Bytes: Quantity {
  /// See ``Quantity/unit``.
  public static let unit = "bytes"
  /// The number of bytes.
  public let count: Int

  /// Wraps a number of bytes.
  public init(_ count: Int) { self.count = count }

  /// The amount in GiB (2³⁰ bytes), for people.
  public var gibibytes: Double { Double(count) / 1_073_741_824 }
}

extension Bytes: CustomStringConvertible {
  /// The amount with a binary unit and three or four significant digits: `12.4 GiB`, `640 MiB`, `512 B`.
  public var description: String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    var value = Double(count)
    var unit = 0
    while abs(value) >= 1000, unit + 1 < units.count {
      value /= 1024
      unit += 1
    }
    guard unit > 0 else { return "\(count) B" }
    return Decimal.text(value, digits: abs(value) < 100 ? 2 : 1) + " " + units[unit]
  }
}

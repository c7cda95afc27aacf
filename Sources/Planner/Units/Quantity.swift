/// A whole number of one unit whose arithmetic throws instead of trapping.
///
/// A plan is computed from numbers that users type, so every sum and product may leave the range of an
/// integer. The operators of a quantity report that as a ``PlanError`` that names the unit.
public protocol Quantity: Hashable, Comparable, Sendable {
  /// The integer that holds the amount.
  associatedtype Count: FixedWidthInteger & Sendable
  /// The unit's plural, as it appears in messages: "bytes".
  static var unit: String { get }
  /// The amount in whole units.
  var count: Count { get }
  /// Wraps an amount.
  init(_ count: Count)
}

extension Quantity {
  /// Nothing of this unit.
  public static var zero: Self { Self(0) }

  /// Orders quantities by their amount.
  public static func < (a: Self, b: Self) -> Bool { a.count < b.count }

  /// The sum; throws when it does not fit.
  public static func + (a: Self, b: Self) throws(PlanError) -> Self {
    let (sum, overflow) = a.count.addingReportingOverflow(b.count)
    guard !overflow else { throw .overflow(unit, "\(a.count) + \(b.count)") }
    return Self(sum)
  }

  /// The difference; throws when it does not fit.
  public static func - (a: Self, b: Self) throws(PlanError) -> Self {
    let (difference, overflow) = a.count.subtractingReportingOverflow(b.count)
    guard !overflow else { throw .overflow(unit, "\(a.count) - \(b.count)") }
    return Self(difference)
  }

  /// The amount taken `factor` times; throws when it does not fit.
  public static func * (a: Self, factor: Int) throws(PlanError) -> Self {
    guard let factor = Count(exactly: factor) else { throw .overflow(unit, "× \(factor)") }
    let (product, overflow) = a.count.multipliedReportingOverflow(by: factor)
    guard !overflow else { throw .overflow(unit, "\(a.count) × \(factor)") }
    return Self(product)
  }
}

extension PlanError {
  static func overflow(_ unit: String, _ formula: String) -> Self {
    Self(
      .overflow, "\(formula) is more \(unit) than a plan can hold",
      fix:
        "Lower the batch, sequence length, layers or hidden size: one is far outside what exists.")
  }
}

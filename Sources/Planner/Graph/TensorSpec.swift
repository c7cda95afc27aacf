/// The size of one tensor: how many rows of how many elements, of which number format.
///
/// `columns` is the last dimension, `rows` the product of the others; that is all that decides its memory.
public struct TensorSpec: Hashable, Sendable {
  /// The product of all dimensions but the last.
  public let rows: Int
  /// The last dimension.
  public let columns: Int
  /// The format of an element.
  public let dtype: DType

  /// No tensor of a plan is larger than 2⁵⁰ bytes, so that sums of many still fit 64 bits.
  static let limit = 1 << 50

  /// Describes a tensor; throws when it is larger than any machine could hold.
  public init(_ rows: Int, _ columns: Int, _ dtype: DType) throws(PlanError) {
    let (elements, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard !overflow, rows >= 0, columns >= 0, elements <= Self.limit / 8 else {
      throw .overflow("bytes", "a tensor of \(rows) × \(columns) elements")
    }
    self.rows = rows
    self.columns = columns
    self.dtype = dtype
  }

  private init(unchecked rows: Int, _ columns: Int, _ dtype: DType) {
    self.rows = rows
    self.columns = columns
    self.dtype = dtype
  }

  /// How many elements it has.
  public var elements: Int { rows &* columns }

  /// How many bytes they take.
  public var bytes: Int { elements &* dtype.size }

  /// The same elements in another format.
  func cast(to dtype: DType) -> TensorSpec { TensorSpec(unchecked: rows, columns, dtype) }

  /// As many rows of it, at most all.
  func withRows(_ rows: Int) -> TensorSpec {
    TensorSpec(unchecked: min(rows, self.rows), columns, dtype)
  }

  /// One element per row: what a mean over the last dimension leaves.
  var perRow: TensorSpec { TensorSpec(unchecked: rows, 1, dtype) }

  /// One element.
  var scalar: TensorSpec { TensorSpec(unchecked: 1, 1, dtype) }

  /// The same elements with another last dimension, which must divide them.
  func reshaped(columns: Int) throws(PlanError) -> TensorSpec {
    guard columns > 0, elements % columns == 0 else {
      throw PlanError(
        .defect, "cannot view \(rows) × \(columns) elements in rows of \(columns)",
        fix: "Send this scenario to the authors.")
    }
    return TensorSpec(unchecked: elements / columns, columns, dtype)
  }
}

/// The product of sizes; throws when it leaves 64 bits.
func checkedProduct(_ a: Int, _ b: Int, _ c: Int = 1, _ d: Int = 1) throws(PlanError) -> Int {
  let (ab, o1) = a.multipliedReportingOverflow(by: b)
  let (abc, o2) = ab.multipliedReportingOverflow(by: c)
  let (abcd, o3) = abc.multipliedReportingOverflow(by: d)
  guard !o1, !o2, !o3 else { throw .overflow("elements", "\(a) × \(b) × \(c) × \(d)") }
  return abcd
}

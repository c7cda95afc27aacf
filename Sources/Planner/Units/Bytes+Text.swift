extension Bytes {
  /// Reads a size with its unit: `64GiB`, `128 GB`, `512MiB`, `1.5TiB`.
  ///
  /// - Returns: `nil` where it is no size, has no unit, is below one byte or above 2⁵⁰ bytes.
  package init?(size text: String) {
    let units: [(String, Double)] = [
      ("TiB", 1_099_511_627_776), ("GiB", 1_073_741_824), ("MiB", 1_048_576),
      ("TB", 1e12), ("GB", 1e9), ("MB", 1e6),
    ]
    for (unit, factor) in units where text.hasSuffix(unit) {
      let digits = text.dropLast(unit.count).split(separator: " ").joined()
      guard let number = Double(digits), number.isFinite, number > 0,
        let bytes = Int(exactly: (number * factor).rounded(.down)), bytes >= 1, bytes <= 1 << 50
      else { return nil }
      self.init(bytes)
      return
    }
    return nil
  }
}

extension Bytes {
  /// A size as somebody measured it: with a unit, or in plain bytes; `nil` where it is none.
  public init?(measured text: String) {
    if let size = Bytes(size: text) {
      self = size
      return
    }
    guard let count = Int(text), count > 0, count <= 1 << 50 else { return nil }
    self.init(count)
  }
}

/// Finds what somebody probably meant.
enum NearestName {
  /// The candidate closest to `name`, or `nil` when none is close enough to be a slip of the finger.
  ///
  /// Distance is the number of inserted, removed, replaced or swapped characters; up to a third of the
  /// name's length (at least two) counts as close. Ties go to the earlier candidate.
  static func of(_ name: String, in candidates: [String]) -> String? {
    let typed = Array(name.lowercased().utf8.prefix(64))
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(typed, Array(candidate.lowercased().utf8.prefix(64)))
      if distance <= max(2, typed.count / 3), distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.name
  }

  /// "did you mean" with the nearest candidate, else the list of all (at most `limit`).
  static func hint(_ name: String, in candidates: [String], limit: Int = 12) -> String {
    if candidates.isEmpty { return "Leave it out: nothing goes here." }
    if let nearest = of(name, in: candidates) { return "Did you mean \"\(nearest)\"?" }
    let shown = candidates.prefix(limit).joined(separator: ", ")
    return "Use one of: \(shown)\(candidates.count > limit ? ", …" : "")."
  }

  /// Damerau–Levenshtein distance (adjacent swaps count one).
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      (before, last) = (last, row)
    }
    return last[b.count]
  }
}

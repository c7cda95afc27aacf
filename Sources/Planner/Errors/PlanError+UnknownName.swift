extension PlanError {
  /// A name that is in no list, with the nearest one that is, or else the list.
  ///
  /// - Parameters:
  ///   - name: What was written.
  ///   - thing: What it should name: "model".
  ///   - candidates: The names there are.
  ///   - path: Where it stands.
  ///   - list: The command that lists them, as one more hint.
  public static func unknownName(
    _ name: String, _ thing: String, among candidates: [String], path: String, list: String = ""
  ) -> Self {
    let hint = NearestName.hint(name, in: candidates)
    return Self(
      .unknown, "there is no \(thing) \"\(name.prefix(80))\"", path: path,
      fix: list.isEmpty ? hint : "\(hint) \"\(list)\" lists them all.")
  }
}

/// What a device has of a model whose matrices several cut.
extension Mesh {
  /// A device's part of `count` heads or columns.
  ///
  /// DTensor cuts a matrix into equal parts, and a device views its part as whole heads.
  func part(of count: Int, _ what: String) throws(PlanError) -> Int {
    guard count % tensor == 0 else {
      throw PlanError(
        .invalid, "\(count) \(what) cannot be cut into \(tensor) equal parts",
        path: "strategies.tensor_parallel.degree",
        fix: "Choose a degree that divides \(count); \"framework\": \"torch\" repeats no heads.")
    }
    return count / tensor
  }

  /// Refuses a cut sequence, for families of which only `transformers`' `tp_plan` was measured, and logits that cannot
  /// be gathered.
  func checkPlan(vocabulary: Int) throws(PlanError) {
    if cutsSequence {
      throw PlanError(
        .unsupported, "sequence parallelism of such a model cannot be planned yet",
        path: "strategies.sequence_parallel",
        fix: "Leave it out: transformers' tp_plan is planned without it.")
    }
    guard tensor > 1, vocabulary % tensor != 0 else { return }
    throw PlanError(
      .invalid, "logits of \(vocabulary) tokens cannot be gathered from \(tensor) equal parts",
      path: "strategies.tensor_parallel.degree", fix: "Choose a degree that divides \(vocabulary).")
  }
}

extension Forward {
  /// A matrix of a row for each token of the vocabulary: this device's rows where it is `cut`, the first device's part
  /// being the largest.
  mutating func vocabularyTable(_ name: StaticString, _ vocabulary: Int, _ hidden: Int, cut: Bool)
    throws(PlanError) -> Parameter
  {
    guard cut else { return try parameter(name, vocabulary, hidden) }
    return try parameter(
      name, (vocabulary - 1) / context.mesh.tensor + 1, hidden,
      whole: try checkedProduct(vocabulary, hidden))
  }

  /// The rows of a table for each token, which devices put together where the table is cut.
  mutating func tokenRows(
    _ tokens: Int, _ table: Parameter, vocabulary: Int, cut: Bool, module: StaticString? = nil
  ) throws(PlanError) -> Value {
    if cut { return try cutEmbedding(rows: tokens, table, vocabulary: vocabulary) }
    if let module { return try embedding(rows: tokens, table, module: module) }
    return try embedding(rows: tokens, table)
  }
}

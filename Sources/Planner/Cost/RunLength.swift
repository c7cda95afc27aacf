/// How many tokens a run trains on, and in how many optimizer steps.
public struct RunLength: Hashable, Sendable {
  /// Tokens that are trained on: examples × length × epochs.
  public var tokens: Int
  /// Tokens of the dataset, gone through once.
  public var datasetTokens: Int
  /// Tokens of one optimizer step on all devices: micro-batch × sequence length × accumulation × copies of the model.
  public var tokensPerStep: Int
  /// Optimizer steps, the last one perhaps not full.
  public var steps: Int

  /// Counts the steps of a run of `copies` copies of the model that each have sequences of their own.
  ///
  /// - Throws: ``PlanError`` where an example is longer than the sequence that it has for itself, and for numbers
  ///   beyond 63 bits.
  init(_ length: RunSettings.Length, _ workload: Workload, copies: Int) throws(PlanError) {
    let sequences = try checkedProduct(
      workload.microBatchSize, workload.gradientAccumulationSteps, copies)
    tokensPerStep = try checkedProduct(sequences, workload.sequenceLength)
    switch length {
    case .tokens(let count):
      (tokens, datasetTokens) = (count, count)
      steps = Self.ceiling(count, tokensPerStep)
    case .steps(let count):
      steps = count
      tokens = try checkedProduct(count, tokensPerStep)
      datasetTokens = tokens
    case .examples(let examples, let length, let epochs, let packed):
      datasetTokens = try checkedProduct(examples, length)
      let seen = try Self.scaled(examples, by: epochs)
      tokens = try checkedProduct(seen, length)
      if packed {
        steps = Self.ceiling(tokens, tokensPerStep)
      } else {
        guard length <= workload.sequenceLength else {
          throw .tooLong(length, workload.sequenceLength)
        }
        steps = Self.ceiling(seen, sequences)
      }
    }
  }

  private static func ceiling(_ a: Int, _ b: Int) -> Int {
    let (whole, rest) = a.quotientAndRemainder(dividingBy: max(1, b))
    return whole + (rest > 0 ? 1 : 0)
  }

  /// So many examples over `epochs`, rounded up.
  private static func scaled(_ examples: Int, by epochs: Double) throws(PlanError) -> Int {
    if let whole = Int(exactly: epochs) { return try checkedProduct(examples, whole) }
    guard let seen = Int(exactly: (Double(examples) * epochs).rounded(.up)) else {
      throw .overflow("examples", "\(examples) × \(epochs)")
    }
    return seen
  }
}

extension PlanError {
  fileprivate static func tooLong(_ length: Int, _ sequence: Int) -> Self {
    Self(
      .conflict, "examples of \(length) tokens do not go into sequences of \(sequence)",
      path: "run.length",
      fix: "Raise \"sequence_length\", lower \"length\", or leave \"packed\" out.")
  }
}

/// Something the planner took for granted, said openly.
public struct Assumption: Hashable, Sendable {
  /// A short stable name: `allocator_slack`.
  public var name: String
  /// One sentence.
  public var text: String
  /// Where it comes from: a file, a paper, a measurement, or "default".
  public var source: String

  /// States an assumption.
  public init(_ name: String, _ text: String, source: String) {
    self.name = name
    self.text = text
    self.source = source
  }
}

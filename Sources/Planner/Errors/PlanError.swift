/// Why a plan could not be made: what is wrong, where it stands, and what to type instead.
public struct PlanError: Error, Hashable, Sendable {
  /// What kind of mistake it is; decides the exit code.
  public enum Kind: String, Hashable, Sendable {
    /// A file cannot be read.
    case unreadable
    /// The text is not JSON.
    case syntax
    /// A key, name or option that nobody knows.
    case unknown
    /// A value of the wrong type or outside its range.
    case invalid
    /// Two settings that exclude each other.
    case conflict
    /// A real thing that this version cannot plan.
    case unsupported
    /// A number beyond what a plan can hold.
    case overflow
    /// A mistake of this program, not of its user.
    case defect
  }

  /// What kind of mistake it is.
  public var kind: Kind
  /// One sentence that starts in lower case and names the value.
  public var message: String
  /// Where it stands: a key path (`strategies.lora.rank`), or `line 3, column 14`; empty if unknown.
  public var path: String
  /// One sentence that says what to type.
  public var fix: String

  /// Describes a mistake.
  public init(_ kind: Kind, _ message: String, path: String = "", fix: String) {
    self.kind = kind
    self.message = message
    self.path = path
    self.fix = fix
  }

  /// The same error, said of `path` when it does not say a place yet, or of a place inside `path`.
  public func inside(_ outer: String) -> Self {
    var error = self
    error.path = path.isEmpty ? outer : (outer.isEmpty ? path : outer + "." + path)
    return error
  }
}

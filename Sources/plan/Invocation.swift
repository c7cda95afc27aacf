import Planner

/// What a run of the tool is given: the words, and the world around it.
struct Invocation {
  /// A stream that text goes to, as far as colour is concerned.
  struct Stream: Sendable {
    var isTerminal = false
    /// `TERM` is `dumb`, or `NO_COLOR` is set.
    var refusesColor = false
  }

  /// The words after the program's name.
  var arguments: [String]
  /// Where the result goes.
  var output = Stream()
  /// Where errors go.
  var errors = Stream()
  /// The contents of a file.
  var readFile: (_ path: String) throws(PlanError) -> [UInt8]
  /// Everything on standard input.
  var readInput: () throws(PlanError) -> [UInt8]
  /// The first bytes of a file, at most so many; fewer where it is shorter.
  var readStart: (_ path: String, _ count: Int) throws(PlanError) -> [UInt8] = {
    (path, _) throws(PlanError) in
    throw PlanError(.unreadable, "there is no such file", path: path, fix: "Check the path.")
  }
  /// Writes a file, and replaces what was there.
  var writeFile: (_ path: String, _ bytes: [UInt8]) throws(PlanError) -> Void = {
    (path, _) throws(PlanError) in
    throw PlanError(.unreadable, "it cannot be written", path: path, fix: "Check the path.")
  }
  /// The program itself, to be started again; `nil` where there is none.
  var program: String?
}

extension Ladder {
  /// A ladder of rungs that were planned elsewhere.
  init(of rungs: [Rung]) { self.rungs = rungs }
}

/// A figure of the allocator: what it is now, and its highest value since the last reset.
struct AllocatorFigure: Hashable, Sendable {
  private(set) var current = 0
  private(set) var peak = 0

  mutating func increase(_ bytes: Int) {
    current &+= bytes
    if current > peak { peak = current }
  }
  mutating func decrease(_ bytes: Int) { current &-= bytes }
  mutating func resetPeak() { peak = current }
}

/// What `torch.cuda.memory_stats()` reports, in bytes.
struct AllocatorStatistics: Hashable, Sendable {
  /// Blocks handed out, with what is left of those that are not split.
  var allocated = AllocatorFigure()
  /// What the driver gave.
  var reserved = AllocatorFigure()
  /// Free pieces of segments whose other pieces are in use.
  var inactiveSplit = AllocatorFigure()
  /// How often cached blocks were given back to the driver to get memory.
  var retries = 0
  /// How often that did not help.
  var outOfMemory = 0

  /// What `torch.cuda.reset_peak_memory_stats()` does.
  mutating func resetPeaks() {
    allocated.resetPeak()
    reserved.resetPeak()
    inactiveSplit.resetPeak()
  }
}

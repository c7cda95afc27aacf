#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Says on a terminal that a computation goes on, once it takes longer than half a second.
enum Progress {
  /// Whether anything was said; written by the handler alone once the clock runs.
  nonisolated(unsafe) private static var spoke = false

  /// Starts to wait; does nothing where standard error is no terminal.
  static func start() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    spoke = false
    // A handler of signals may do no more than write.
    signal(SIGALRM) { _ in
      Progress.spoke = true
      let text: StaticString = "planning …"
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
    _ = ualarm(500_000, 0)
  }

  /// Clears the line.
  static func stop() {
    guard isatty(STDERR_FILENO) == 1 else { return }
    _ = ualarm(0, 0)
    guard spoke else { return }
    let text: StaticString = "\r\u{1B}[K"
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }
}

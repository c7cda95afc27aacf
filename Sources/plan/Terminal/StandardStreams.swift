#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The process's own streams, environment and exit.
enum StandardStreams {
  /// Writes the texts, each at once, and ends the process.
  static func finish(with answer: Tool.Answer) -> Never {
    var exitCode = answer.exitCode
    var errors = answer.errors
    if let code = write(answer.output, to: STDOUT_FILENO) {
      let reason = String(cString: strerror(code))
      errors += "error: standard output: the result cannot be written: \(reason)\n"
      errors += "  fix: Check the disk or the pipe.\n"
      exitCode = .wrongInput
    }
    _ = write(errors, to: STDERR_FILENO)
    exit(exitCode.rawValue)
  }

  /// The error code of the first write that failed, or `nil`.
  private static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var text = text
    return text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
  }

  /// The error code of the first write that failed, or `nil`.
  static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    bytes.withUnsafeBytes { write($0, to: descriptor) }
  }

  private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
    var rest = bytes
    while !rest.isEmpty {
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
      #elseif canImport(Musl)
        let count = Musl.write(descriptor, rest.baseAddress, rest.count)
      #else
        let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      #endif
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return errno }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return nil
  }
}

extension Invocation {
  /// The process itself: its arguments, its streams, the disk.
  static var process: Self {
    let noColor = variable("NO_COLOR").map { !$0.isEmpty } ?? false
    let refuses = noColor || variable("TERM") == "dumb"
    return Self(
      arguments: Array(CommandLine.arguments.dropFirst()),
      output: Stream(isTerminal: isatty(STDOUT_FILENO) == 1, refusesColor: refuses),
      errors: Stream(isTerminal: isatty(STDERR_FILENO) == 1, refusesColor: refuses),
      readFile: FileReader.read, readInput: FileReader.readInput,
      readStart: FileReader.readStart, writeFile: FileWriter.write, program: Self.executable)
  }

  /// The path under which this program can be started.
  private static var executable: String? {
    #if os(Linux)
      "/proc/self/exe"
    #else
      CommandLine.arguments.first
    #endif
  }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}

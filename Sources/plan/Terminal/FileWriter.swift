import Planner

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Writes whole files.
enum FileWriter {
  /// Makes the file at `path`, or replaces what is in it.
  static func write(_ path: String, _ bytes: [UInt8]) throws(PlanError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .cannotWrite(path, errno) }
    let code = StandardStreams.write(bytes, to: descriptor)
    let closed = close(descriptor)
    if let code { throw .cannotWrite(path, code) }
    guard closed == 0 else { throw .cannotWrite(path, errno) }
  }
}

extension PlanError {
  fileprivate static func cannotWrite(_ path: String, _ code: Int32) -> Self {
    Self(
      .unreadable, "it cannot be written: \(String(cString: strerror(code)))", path: path,
      fix: "Check the path and the disk.")
  }
}

import Planner

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Reads whole files, and stops early at what cannot be a scenario.
enum FileReader {
  /// Far more than any scenario or model config needs.
  static let largest = 16 << 20

  /// The contents of the file at `path`.
  static func read(_ path: String) throws(PlanError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path, errno) }
    defer { close(descriptor) }
    return try read(descriptor, path)
  }

  /// The first `count` bytes of the file at `path`, fewer where it is shorter.
  static func readStart(_ path: String, _ count: Int) throws(PlanError) -> [UInt8] {
    guard count <= largest else { throw .tooLarge(path) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path, errno) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    var filled = 0
    while filled < bytes.count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        unistdRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      }
      if read < 0 {
        if errno == EINTR { continue }
        throw .cannotRead(path, errno)
      }
      if read == 0 { break }
      filled += read
    }
    return Array(bytes.prefix(filled))
  }

  /// Everything on standard input.
  static func readInput() throws(PlanError) -> [UInt8] {
    try read(STDIN_FILENO, "standard input")
  }

  private static func read(_ descriptor: Int32, _ path: String) throws(PlanError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path, errno) }
    if status.st_mode & S_IFMT == S_IFDIR { throw .cannotRead(path, EISDIR) }
    if status.st_mode & S_IFMT == S_IFREG, status.st_size > largest { throw .tooLarge(path) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { unistdRead(descriptor, $0) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotRead(path, errno)
      }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      if bytes.count > largest { throw .tooLarge(path) }
    }
  }

  private static func unistdRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer)
    -> Int
  {
    #if canImport(Darwin)
      Darwin.read(descriptor, buffer.baseAddress, buffer.count)
    #elseif canImport(Musl)
      Musl.read(descriptor, buffer.baseAddress, buffer.count)
    #else
      Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    #endif
  }
}

extension PlanError {
  fileprivate static func cannotRead(_ path: String, _ code: Int32) -> Self {
    switch code {
    case ENOENT, ENOTDIR:
      Self(.unreadable, "there is no such file", path: path, fix: "Check the path.")
    case EISDIR:
      Self(
        .unreadable, "this is a directory", path: path,
        fix: "Name a file in it, such as scenario.json or config.json.")
    case EACCES, EPERM:
      Self(
        .unreadable, "you may not read this file", path: path,
        fix: "Give yourself the right to read it.")
    default:
      Self(
        .unreadable, "it cannot be read: \(String(cString: strerror(code)))", path: path,
        fix: "Check the file.")
    }
  }

  fileprivate static func tooLarge(_ path: String) -> Self {
    Self(
      .unreadable, "this is larger than \(FileReader.largest >> 20) MiB", path: path,
      fix: "Check that it is the right file: a scenario is a few kilobytes.")
  }
}

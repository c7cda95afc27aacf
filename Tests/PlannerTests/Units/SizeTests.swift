import Testing

@testable import Planner

@Suite("Sizes with a unit") struct SizeTests {
  @Test(
    "are read",
    arguments: [
      ("64GiB", 68_719_476_736), ("128 GB", 128_000_000_000), ("1.5TiB", 1_649_267_441_664),
      ("0.9MB", 900_000), ("1MiB", 1_048_576),
    ])
  func read(_ text: String, _ bytes: Int) { #expect(Bytes(size: text)?.count == bytes) }

  @Test("are refused", arguments: ["64", "GiB", "-1GiB", "0GB", "nanGB", "1e30GB", "64 gib", ""])
  func refused(_ text: String) { #expect(Bytes(size: text) == nil) }

  @Test(
    "of pinned memory are powers of two",
    arguments: [
      (0, 0), (1, 1), (2, 2), (3, 4), (90_177_536, 134_217_728), (1 << 30, 1 << 30),
      ((1 << 30) + 1, 1 << 31),
    ])
  func pinned(_ bytes: Int, _ block: Int) { #expect(HostCopies.block(of: bytes) == block) }
}

/// The sizes that decide how the caching allocator rounds, searches and splits.
///
/// Source: `c10/core/AllocatorConfig.h` and `c10/cuda/CUDACachingAllocator.cpp`, PyTorch 2.11.
struct AllocatorRules: Hashable, Sendable {
  /// Whether segments grow in place.
  let expandable: Bool
  /// Blocks of this size and above are never split (`max_split_size_mb`).
  let maxSplit: Int
  /// The steps between two powers of two (`roundup_power2_divisions`), or 0.
  let divisions: Int

  /// The smallest block, of which all others are multiples (`kMinBlockSize`).
  static let block = 512
  /// The largest block of the small pool (`kSmallSize`).
  static let small = 1 << 20
  /// A segment of the small pool (`kSmallBuffer`).
  static let smallSegment = 2 << 20
  /// The smallest block that gets a segment of its own (`kMinLargeAlloc`).
  static let large = 10 << 20
  /// A segment that blocks below that share (`large_segment_size_mb`).
  static let largeSegment = 20 << 20
  /// Larger segments are multiples of this (`kRoundLarge`).
  static let roundLarge = 2 << 20

  /// PyTorch's rules with a scenario's settings.
  init(_ settings: AllocatorSettings = AllocatorSettings()) {
    expandable = settings.expandableSegments
    maxSplit = settings.maxSplitSizeMiB.map { $0 << 20 } ?? .max
    divisions = settings.roundupPower2Divisions ?? 0
  }

  /// The size of the block for so many bytes (`round_size`).
  func rounded(_ bytes: Int) -> Int {
    if bytes < Self.block { return Self.block }
    if divisions > 1, bytes > Self.block * divisions {
      return Self.divided(bytes, by: divisions)
    }
    return (bytes &+ (Self.block - 1)) & ~(Self.block - 1)
  }

  /// The next of `divisions` steps from one power of two to the next (`roundup_power2_next_division`).
  private static func divided(_ bytes: Int, by divisions: Int) -> Int {
    guard bytes & (bytes - 1) != 0 else { return bytes }
    let floor = 1 << (Int.bitWidth - 1 - bytes.leadingZeroBitCount)
    let step = floor >> divisions.trailingZeroBitCount
    guard step > 0 else { return floor &<< 1 }
    let down = bytes & ~(step - 1)
    return down == bytes ? bytes : down &+ step
  }

  /// The segment that is asked of the driver for a block (`get_allocation_size`).
  static func segment(for size: Int) -> Int {
    if size <= small { return smallSegment }
    if size < large { return largeSegment }
    return (size &+ (roundLarge - 1)) & ~(roundLarge - 1)
  }
}

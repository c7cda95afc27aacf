/// Settings of PyTorch's caching allocator, by the names of `PYTORCH_CUDA_ALLOC_CONF`.
public struct AllocatorSettings: Hashable, Sendable {
  /// Whether segments grow in place instead of being separate blocks.
  public var expandableSegments = false
  /// The largest block that may be split, in MiB; `nil` is no limit.
  public var maxSplitSizeMiB: Int?
  /// Between two powers of two, sizes are rounded up to this many steps; `nil` rounds to 512 bytes.
  public var roundupPower2Divisions: Int?
  /// The part of the allowed memory in use above which unused blocks are freed; `nil` is never.
  ///
  /// As in PyTorch it does nothing unless the process is allowed only a part of the device
  /// (`set_per_process_memory_fraction`), which no scenario says.
  public var garbageCollectionThreshold: Double?

  /// What `allocator` may have.
  static let keys = [
    SettingKey(
      "expandable_segments", .truth, default: false, "segments grow in place, with less waste"),
    SettingKey(
      "max_split_size_mb", .integer(21...1_000_000), otherwise: "no limit",
      "the largest block that may be split, in MiB"),
    SettingKey(
      "roundup_power2_divisions", .integer(1...64), otherwise: "512 bytes",
      "sizes are rounded up to so many steps between powers of two: 1, 2, 4, …, 64"),
    SettingKey(
      "garbage_collection_threshold", .number(0.001...0.999), otherwise: "never",
      "without effect as long as the process may use the whole device"),
  ]

  /// PyTorch's defaults.
  public init() {}

  /// Reads the options; whoever calls it calls ``Settings/finish()`` afterwards.
  public init(_ settings: inout Settings) throws(PlanError) {
    expandableSegments = try settings.bool("expandable_segments")
    maxSplitSizeMiB = try settings.optionalInteger("max_split_size_mb")
    roundupPower2Divisions = try settings.optionalInteger("roundup_power2_divisions")
    if let divisions = roundupPower2Divisions, divisions.nonzeroBitCount != 1 {
      throw .notAPowerOfTwo(divisions, settings.place("roundup_power2_divisions"))
    }
    garbageCollectionThreshold = try settings.optionalNumber("garbage_collection_threshold")
  }
}

extension PlanError {
  fileprivate static func notAPowerOfTwo(_ number: Int, _ path: String) -> Self {
    Self(
      .invalid, "\(number) is not a power of two", path: path, fix: "Use 1, 2, 4, 8, 16, 32 or 64.")
  }
}

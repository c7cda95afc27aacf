/// Where ZeRO keeps what is not on the device: `offload_optimizer` and `offload_param`.
///
/// Source: Ren et al. 2021, arXiv:2101.06840 (ZeRO-Offload); Rajbhandari et al. 2021, arXiv:2104.07857 (ZeRO-Infinity);
/// `runtime/zero/offload_config.py`, DeepSpeed 0.19.8.
public struct ZeroOffload: Hashable, Sendable {
  /// A place for states.
  public enum Device: String, Hashable, Sendable, CaseIterable {
    /// The device itself: no offload.
    case none
    /// Memory of the host.
    case cpu
    /// A disk, with buffers in memory of the host.
    case nvme

    /// As a label says it.
    var place: String {
      switch self {
      case .none: "device"
      case .cpu: "host"
      case .nvme: "disk"
      }
    }
  }

  /// The place.
  public let device: Device
  /// Whether memory of the host is pinned (`pin_memory`).
  public let isPinned: Bool
  /// Buffers on the way to the disk (`buffer_count`).
  public let buffers: Int
  /// Elements of each buffer for parameters (`buffer_size`).
  public let bufferSize: Int
  /// Elements of parameters that stay on the host though the others are on disk (`max_in_cpu`).
  public let mostOnHost: Int

  /// What it reads: `offload_optimizer`, or `offload_param`.
  static func keys(ofOptimizer isOptimizer: Bool) -> [SettingKey] {
    let common = [
      SettingKey(
        "device", .choice(of: Device.self), default: "none", "memory of the host, or a disk"),
      SettingKey("pin_memory", .truth, default: true, "memory of the host is pinned"),
      SettingKey(
        "buffer_count", .integer(0...1000), default: isOptimizer ? 4 : 5,
        "buffers on the way to the disk"),
      SettingKey("nvme_path", .text, otherwise: "none", "where the disk is; changes nothing"),
    ]
    guard isOptimizer else {
      return common + [
        SettingKey(
          "buffer_size", .number(0...1e12), default: 100_000_000, "elements of each buffer"),
        SettingKey(
          "max_in_cpu", .number(0...1e12), default: 1_000_000_000,
          "elements that stay on the host though the others are on disk"),
      ]
    }
    let ignored = ["pipeline_read", "pipeline_write", "fast_init"].map { key in
      SettingKey(key, .truth, default: false, "read, and without effect on memory")
    }
    return common + [SettingKey("ratio", .number(0...1), default: 1, "only 1 is planned")] + ignored
  }

  /// The setting at `key`; `nil` where it is absent or `none`.
  static func read(_ key: String, _ settings: inout Settings) throws(PlanError) -> Self? {
    guard var options = try settings.object(key) else { return nil }
    let isOptimizer = key == "offload_optimizer"
    let device: Device = try options.choice("device")
    let isPinned = try options.bool("pin_memory")
    let buffers = try options.integer("buffer_count")
    _ = try options.optionalString("nvme_path")
    var (size, most) = (0, 0)
    if isOptimizer {
      guard try options.number("ratio") == 1 else {
        throw PlanError(
          .unsupported, "an optimizer that is offloaded in part cannot be planned",
          path: options.place("ratio"), fix: "Leave \"ratio\" out: 1.0 is DeepSpeed's default.")
      }
      for key in ["pipeline_read", "pipeline_write", "fast_init"] {
        _ = try options.bool(key)
      }
    } else {
      size = Int(try options.number("buffer_size"))
      most = Int(try options.number("max_in_cpu"))
    }
    try options.finish()
    guard device != .none else { return nil }
    return Self(
      device: device, isPinned: isPinned, buffers: buffers, bufferSize: size, mostOnHost: most)
  }
}

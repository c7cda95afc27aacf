/// Accelerators that are sold and cannot be planned, each with the reason.
///
/// A plan promises that a run fits; for these the rules behind that promise were never held against a measurement.
public struct UnplannedDevice: Hashable, Sendable {
  /// The name that a scenario could use.
  public let id: String
  /// The maker's name.
  public let name: String
  /// Memory as it is marketed.
  public let memory: String
  /// The year it came out.
  public let year: Int
  /// Why it is not planned.
  public let reason: String

  private init(_ id: String, _ name: String, _ memory: String, _ year: Int, _ reason: String) {
    self.id = id
    self.name = name
    self.memory = memory
    self.year = year
    self.reason = reason
  }

  /// The device of this name, or `nil`; case does not matter.
  public static func named(_ id: String) -> Self? {
    let wanted = id.lowercased()
    for device in all where device.id == wanted { return device }
    return nil
  }

  private static let rocm =
    "ROCm's kernels and library workspaces are not known here: plans follow CUDA's"
  private static let gaudi =
    "SynapseAI compiles graphs and places tensors itself: no rule of the caching allocator holds"
  private static let tpu =
    "XLA compiles the whole step and decides what lives when: no rule of eager PyTorch holds"
  private static let apple =
    "Metal's allocator and kernels are not known here, and the memory is shared with the system"

  /// Every one of them.
  ///
  /// Source of memory and year: the makers' data sheets, read in 2026-11.
  public static let all: [Self] = [
    Self("mi210", "Instinct MI210", "64 GB", 2022, rocm),
    Self("mi250x", "Instinct MI250X (two GCDs)", "128 GB (2 x 64)", 2021, rocm),
    Self("mi300x", "Instinct MI300X", "192 GB", 2023, rocm),
    Self("mi325x", "Instinct MI325X", "256 GB", 2024, rocm),
    Self("mi355x", "Instinct MI355X", "288 GB", 2025, rocm),
    Self("gaudi2", "Gaudi 2 (HL-225)", "96 GB", 2022, gaudi),
    Self("gaudi3", "Gaudi 3 (HL-325L)", "128 GB", 2024, gaudi),
    Self("tpu-v4", "TPU v4 (per chip)", "32 GiB", 2021, tpu),
    Self("tpu-v5e", "TPU v5e (per chip)", "16 GB", 2023, tpu),
    Self("tpu-v5p", "TPU v5p (per chip)", "95 GB (scaling book: 96)", 2023, tpu),
    Self("tpu-v6e", "TPU v6e Trillium (per chip)", "32 GB", 2024, tpu),
    Self(
      "apple-m2-ultra", "Apple M2 Ultra 76-core GPU (Mac Studio 2023)", "192 GB unified (max)",
      2023, apple),
    Self(
      "apple-m3-ultra", "Apple M3 Ultra 80-core GPU (Mac Studio 2025)", "512 GB unified (max)",
      2025, apple),
    Self("apple-m4-max", "Apple M4 Max 40-core GPU", "128 GB unified (max)", 2024, apple),
  ]
}

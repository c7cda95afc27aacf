/// Rated power and year of a device, apart from what a plan of its memory needs.
///
/// Source: the makers' data sheets as collected by RightNow's GPU database, ml-engineering, Lightning and llm-analysis,
/// read in 2026-11.
struct DeviceFacts: Hashable, Sendable {
  /// The device's id.
  let device: String
  /// The year it came out.
  let year: Int
  /// Watts that it may draw; of a pair of processors both.
  let watts: Double

  private init(_ device: String, _ year: Int, _ watts: Double) {
    self.device = device
    self.year = year
    self.watts = watts
  }

  /// The facts of a device of the catalog, or `nil`.
  static func of(_ device: String) -> Self? {
    for facts in all where facts.device == device { return facts }
    return nil
  }

  /// Every device of the catalog.
  static let all: [Self] = [
    Self("v100-sxm2-16gb", 2017, 300),
    Self("v100-sxm2-32gb", 2018, 300),
    Self("v100-pcie-16gb", 2017, 250),
    Self("v100-pcie-32gb", 2018, 250),
    Self("t4", 2018, 70),
    Self("rtx-2080-ti", 2018, 250),
    Self("a100-40gb-pcie", 2020, 250),
    Self("a100-40gb-sxm", 2020, 400),
    Self("a100-80gb-pcie", 2021, 300),
    Self("a100-80gb-sxm", 2020, 400),
    Self("a10", 2021, 150),
    Self("a10g", 2021, 300),
    Self("a40", 2020, 300),
    Self("rtx-a6000", 2020, 300),
    Self("l4", 2023, 72),
    Self("l40s", 2023, 350),
    Self("h100-pcie", 2022, 350),
    Self("h100-sxm", 2022, 700),
    Self("h100-nvl", 2023, 400),
    Self("h200-sxm", 2024, 700),
    Self("b200", 2024, 1000),
    Self("gb200", 2024, 1200),
    Self("b300", 2025, 1100),
    Self("gb300", 2025, 1400),
    Self("rtx-3060-12gb", 2021, 170),
    Self("rtx-3070", 2020, 220),
    Self("rtx-3080-10gb", 2020, 320),
    Self("rtx-3090", 2020, 350),
    Self("rtx-3090-ti", 2022, 450),
    Self("rtx-4060-ti-16gb", 2023, 165),
    Self("rtx-4070-ti-super", 2024, 285),
    Self("rtx-4080", 2022, 320),
    Self("rtx-4090", 2022, 450),
    Self("rtx-5080", 2025, 360),
    Self("rtx-5090", 2025, 575),
    Self("rtx-6000-ada", 2022, 300),
    Self("rtx-pro-6000-blackwell", 2025, 600),
    Self("xeon-4516y-plus-2s", 2023, 370),
    Self("xeon-8592-plus-2s", 2023, 700),
  ]
}

extension Device {
  /// The year it came out; `nil` of a user's own device.
  public var year: Int? { DeviceFacts.of(id)?.year }

  /// What connects such devices within a node, and their nodes.
  public var links: Interconnect { Interconnect(of: self) }
}

/// The devices that a scenario can name.
///
/// Memory is what a process gets to see, never the marketed figure: PyTorch's own out-of-memory
/// messages ("has a total capacity of 23.64 GiB") rounded down to a whole MiB, or the total under
/// which the reference figures were made: the smaller of both, because "fits" is a promise. It
/// depends on the driver; ``Device/memorySource`` says so where newer ones are known to leave less.
/// Rates are dense tensor rates with fp32 accumulation.
public enum DeviceCatalog {
  /// Every device, one line for each generation.
  public static let all: [Device] = [
    VoltaTuringDevices.all,
    AmpereDevices.all,
    AdaDevices.all,
    HopperDevices.all,
    BlackwellDevices.all,
  ].flatMap { (generation: [Device]) in generation }

  /// When the figures of the catalog were read.
  public static let asOf = "2026-11"

  /// The device of this name; case does not matter.
  public static func named(_ id: String) -> Device? {
    let wanted = id.lowercased()
    for device in all where device.id == wanted { return device }
    for device in ProcessorDevices.all where device.id == wanted { return device }
    return nil
  }
}

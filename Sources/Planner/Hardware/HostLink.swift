/// What connects a device with its host.
struct HostLink: Hashable, Sendable {
  /// Bytes per second each way, as they are measured with pinned memory.
  var bandwidth: Double
  /// What it is: `PCIe 4.0 x16 at 25 GB/s`.
  var text: String
  /// Where the figure comes from.
  var source: String

  /// The link that devices of this kind have.
  ///
  /// Source: the makers' data sheets for generation and lanes; 55 GB/s measured on an H200 (PCIe 5.0 x16), the
  /// others in the same proportion of 0.8 of the signalling rate; NVLink-C2C of GB200: 450 GB/s each way.
  init(of device: Device) {
    if let bandwidth = device.hostBandwidth {
      self.init(bandwidth: bandwidth, text: "a link", source: device.source)
      text = "a link of \(Decimal.text(bandwidth / 1e9, digits: 1)) GB/s"
      return
    }
    let source = "data sheets; 55 GB/s measured on an H200, 0.8 of the rate elsewhere"
    switch (device.id, device.computeCapability) {
    case ("gb200", _), ("gb300", _):
      self.init(bandwidth: 360e9, text: "NVLink-C2C at 360 GB/s", source: source)
    case ("rtx-4060-ti-16gb", _):
      self.init(bandwidth: 12.5e9, text: "PCIe 4.0 x8 at 12.5 GB/s", source: source)
    case (_, ..<80):
      self.init(bandwidth: 12.5e9, text: "PCIe 3.0 x16 at 12.5 GB/s", source: source)
    case (_, ..<90):
      self.init(bandwidth: 25e9, text: "PCIe 4.0 x16 at 25 GB/s", source: source)
    default: self.init(bandwidth: 55e9, text: "PCIe 5.0 x16 at 55 GB/s", source: source)
    }
  }

  private init(bandwidth: Double, text: String, source: String) {
    self.bandwidth = bandwidth
    self.text = text
    self.source = source
  }

  /// Pageable memory is copied through a pinned buffer, at about half the rate.
  func rate(pinned: Bool) -> Double { max(1, pinned ? bandwidth : bandwidth / 2) }
}

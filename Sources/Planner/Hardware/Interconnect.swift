/// What connects the devices of a node, and the nodes.
public struct Interconnect: Hashable, Sendable {
  /// Bytes per second that a collective moves each way between devices of a node, as nccl-tests' `busbw`.
  public var link: Double
  /// What that is: `NVLink at 360 GB/s`.
  public var linkText: String
  /// Bytes per second each way that the network offers one device.
  public var network: Double
  /// Devices in a node.
  public var devicesPerNode: Int

  /// Seconds that a collective takes before its first byte moves.
  ///
  /// Source: 26 to 30 µs fixed and per call, measured on A100 PCIe and B200 NVLink by SimuMax.
  static let latency = 30e-6

  /// What devices of this kind usually have.
  ///
  /// Source: the makers' data sheets for NVLink; of its one-way rate 0.8 measured by nccl-tests on A100 and H100
  /// (235 of 300, 363 of 450 GB/s); PCIe 4.0: 0.42 of 30 GB/s on eight A100; GeForce cards without peer-to-peer
  /// copies: 10 GB/s (estimate). Network: a 400 Gb/s adapter for each device of a DGX H100, 200 Gb/s of a DGX A100,
  /// 100 Gb/s for other nodes (estimate), of which 0.74 was measured.
  init(of device: Device) {
    let generation = device.computeCapability
    let switched: [String: Double] = [
      "v100-sxm2-16gb": 150, "v100-sxm2-32gb": 150, "a100-40gb-sxm": 300, "a100-80gb-sxm": 300,
      "h100-sxm": 450, "h200-sxm": 450, "b200": 900, "b300": 900, "gb200": 900, "gb300": 900,
    ]
    let isStation = device.id.hasPrefix("rtx") || device.id == "h100-nvl"
    devicesPerNode = device.id.hasPrefix("gb") ? 72 : isStation ? 4 : 8
    if device.kind == .processor { devicesPerNode = 1 }
    let gigabytes: Double
    if let rate = switched[device.id] {
      gigabytes = 0.8 * rate
      linkText = "NVLink at \(Int(gigabytes)) GB/s"
    } else if device.id.hasPrefix("rtx"), device.id != "rtx-a6000", device.id != "rtx-6000-ada" {
      gigabytes = generation >= 100 ? 20 : 10
      linkText = "PCIe without peer-to-peer copies at \(Int(gigabytes)) GB/s"
    } else {
      gigabytes = generation >= 90 ? 25 : generation >= 80 ? 12.6 : 6.3
      linkText = "PCIe at \(Decimal.text(gigabytes, digits: 1)) GB/s"
    }
    link = gigabytes * 1e9
    let adapter =
      switched[device.id] == nil ? 12.5 / Double(devicesPerNode) : generation >= 90 ? 50 : 25
    network = 0.74 * adapter * 1e9
  }

  /// The estimated time of one collective over `payload` bytes among `ranks` devices.
  ///
  /// Within a node the ring's share passes the link. Across nodes every device's adapter carries its part of what
  /// the nodes exchange, at the same time.
  func seconds(_ collective: Collective, payload: Double, among ranks: Int) -> Double {
    guard ranks > 1, payload > 0 else { return 0 }
    let inside = min(ranks, max(devicesPerNode, 1))
    let nodes = (ranks - 1) / inside + 1
    let onLink = payload * collective.share(of: inside) / max(link, 1)
    let onNetwork = payload * collective.share(of: nodes) / Double(inside) / max(network, 1)
    return Self.latency + max(onLink, onNetwork)
  }
}

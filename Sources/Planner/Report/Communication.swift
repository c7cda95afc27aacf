/// What one device exchanges with others in a step.
public struct Communication: Hashable, Sendable {
  /// Bytes that the device sends, by collective, in a fixed order.
  public var sent: [(collective: String, bytes: Double)] {
    zip(keys, bytes).map { ($0, $1) }
  }
  /// Estimated time of all collectives.
  public var seconds: Seconds
  /// Estimated time that arithmetic does not hide.
  public var exposedSeconds: Seconds
  /// The link and the network that were taken.
  public var link: Interconnect

  private let keys: [String]
  private let bytes: [Double]

  /// Bytes of all collectives.
  public var total: Double { bytes.reduce(0, +) }

  /// Adds up the collectives of a step; `nil` where there are none.
  init?(_ step: TrainingStep, over link: Interconnect) throws(PlanError) {
    let work = step.work
    guard !work.traffic.entries.isEmpty else { return nil }
    var sums = Array(repeating: 0.0, count: Collective.allCases.count)
    var time = 0.0
    for entry in work.traffic.entries {
      sums[entry.collective.rawValue] += entry.payload * entry.collective.share(of: entry.ranks)
      let one = entry.payload / max(entry.calls, 1)
      time += entry.calls * link.seconds(entry.collective, payload: one, among: entry.ranks)
    }
    let present = Collective.allCases.filter { sums[$0.rawValue] > 0 }
    keys = present.map(\.key)
    bytes = present.map { sums[$0.rawValue] }
    seconds = try Seconds(time)
    var exposed = 0.0
    for overlap in step.overlaps { exposed += Double(overlap.count) * overlap.exposed(over: link) }
    exposedSeconds = try Seconds(exposed)
    self.link = link
  }

  /// What to tell the reader.
  var assumptions: [Assumption] {
    let network = Decimal.text(link.network / 1e9, digits: 1)
    return [
      Assumption(
        "links",
        "\(link.linkText) between \(link.devicesPerNode) devices of a node, \(network) GB/s of network for each "
          + "device; collectives hide behind the kernels of the same forward or backward, which they slow by a "
          + "tenth",
        source: "data sheets; nccl-tests on A100, H100 and B200")
    ]
  }
}

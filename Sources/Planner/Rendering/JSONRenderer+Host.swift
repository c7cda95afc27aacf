extension JSONRenderer {
  /// `host_bytes`, and `host` with what it is made of; absent where nothing lies on the host.
  static func hostMembers(_ host: HostUse) -> [JSONValue.Member] {
    let parts = Role.allCases.filter { host.breakdown[$0] != .zero }
    return [
      .init("host_bytes", .integer(host.needed.count)),
      .init(
        "host",
        [
          "pinned_bytes": .integer(host.pinned.count),
          "capacity_bytes": host.capacity.map { .integer($0.count) } ?? .null,
          "fits": .bool(host.fits),
          "breakdown_bytes": .object(
            parts.map { .init($0.key, .integer(host.breakdown[$0].count)) }),
          "to_host_bytes": .integer(host.toHost.count),
          "to_device_bytes": .integer(host.toDevice.count),
          "transfer_seconds": .number(host.transferSeconds.value),
          "exposed_seconds": .number(host.exposedSeconds.value),
        ]),
    ]
  }
}
